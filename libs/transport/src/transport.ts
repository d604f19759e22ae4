import { StateError, type MemberId } from '#contracts';
import type { Channel, Network, NetworkHandlers, PeerAddress } from '#replication';

import { Connection } from './connection';
import type { TransportContext } from './context';
import { dial } from './dial';
import { PROTOCOL_VERSION } from './frame';
import { encodeHello, NONCE_BYTES } from './hello';
import { InboundConnections } from './inbound';
import { Listener } from './listener';
import {
  DEFAULT_LIMITS,
  type PeerHello,
  type TransportIdentity,
  type TransportLimits,
  type TransportOptions,
} from './options';
import { PeerLink } from './peer-link';
import { PeerTls } from './peer-tls';
import { SYSTEM_CLOCK, SYSTEM_RANDOM } from './system-clock';

/** The links between the nodes of a cluster, over TCP or TLS; and the way into one. */
export interface Transport extends Network {
  /** Where this node listens. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * The node has formed or joined a cluster, or left it: existing links end, and new ones are made under the new
   * identity. Connections that asked a single question live on.
   */
  setIdentity(identity: TransportIdentity): void;
  /**
   * Asks whoever listens at an address, before its member id is known, over a connection of its own. Resolves
   * with the answer and with who gave it. Rejects as {@link Network.request} does: `no_leader` if the request
   * never left (unreachable, refused), `timeout` if the outcome is unknown.
   */
  requestAddress(
    address: { readonly host: string; readonly port: number },
    kind: number,
    body: Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly peer: PeerHello; readonly body: Uint8Array }>;
  /** Loads the TLS material again, for the connections made from now on. Throws, and keeps the old, if unusable. */
  reloadCredentials(): void;
}

/**
 * Starts to listen. Rejects with the system's error when the address cannot be had, and with an `Error` when the
 * options contradict each other or the TLS material cannot be used.
 */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const limits: TransportLimits = { ...DEFAULT_LIMITS, ...options.limits };
  checkOptions(options, limits);
  const { credentials, observer = {} } = options;
  const context: TransportContext = {
    identity: options.identity,
    ready: false,
    credentials,
    tls: credentials.tls && new PeerTls(credentials.tls, credentials.tlsCheckHost ?? true),
    versions: options.protocolVersions ?? { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION },
    limits,
    closeGraceMs: limits.closeGraceMs,
    clock: options.clock ?? SYSTEM_CLOCK,
    random: options.random ?? SYSTEM_RANDOM,
    observer,
    logger: options.logger ?? { info: () => undefined, warn: () => undefined },
    openSockets: new Set(),
    onBytes: (direction, bytes) => observer.onBytes?.(direction, bytes),
    admit: (hello) => options.admit(hello),
  };
  let handlers: NetworkHandlers | undefined;
  const inbound = new InboundConnections(context, options, () => handlers);
  const listener = await Listener.open(context, options.listen, (frames, hello, member) =>
    inbound.add(frames, hello, member),
  );
  return new SocketTransport(context, listener, inbound, (set) => (handlers = set));
}

function checkOptions({ credentials, identity }: TransportOptions, limits: TransportLimits): void {
  if (!credentials.secret && credentials.tls === undefined) {
    throw new Error('peers need a cluster secret or TLS to prove themselves');
  }
  if (limits.queueBytes < limits.frameBytes + 1_024) {
    throw new Error('queueBytes must be larger than frameBytes by 1 KiB or more');
  }
  if (limits.frameBytes > 0x7fff_ffff) throw new Error('frameBytes must be below 2^31');
  // Encoding is the check: a bad identity should end the start and not every later handshake.
  encodeHello({ ...identity, channel: 'single' }, { min: 1, max: 1 }, new Uint8Array(NONCE_BYTES));
}

const CHANNELS: readonly Channel[] = ['messages', 'bulk'];

class SocketTransport implements Transport {
  private readonly links: Record<Channel, Map<MemberId, PeerLink>> = { messages: new Map(), bulk: new Map() };
  private peers: readonly PeerAddress[] = [];
  private handlers: NetworkHandlers | undefined;
  private closing: Promise<void> | undefined;
  private readonly openDials = new Set<(why: string) => void>();
  private readonly openSingles = new Set<Connection>();

  constructor(
    private readonly context: TransportContext,
    private readonly listener: Listener,
    private readonly inbound: InboundConnections,
    private readonly publishHandlers: (handlers: NetworkHandlers) => void,
  ) {}

  get address(): { readonly host: string; readonly port: number } {
    return this.listener.address;
  }

  setHandlers(handlers: NetworkHandlers): void {
    if (this.handlers !== undefined) throw new Error('the handlers are set once');
    this.handlers = handlers;
    this.publishHandlers(handlers);
    this.context.ready = true;
  }

  send(to: MemberId, kind: number, parts: readonly Uint8Array[], channel: Channel = 'messages'): boolean {
    checkKind(kind);
    const connection = this.links[channel].get(to)?.connection;
    if (connection !== undefined) return connection.send(kind, parts);
    this.context.observer.onDropped?.(to, channel, 'not_connected');
    return false;
  }

  request(
    to: MemberId,
    kind: number,
    body: Uint8Array,
    options: { readonly timeoutMs: number; readonly channel?: Channel },
  ): Promise<Uint8Array> {
    checkKind(kind);
    const channel = options.channel ?? 'messages';
    const connection = this.links[channel].get(to)?.connection;
    if (connection !== undefined) return connection.request(kind, body, options.timeoutMs);
    this.context.observer.onDropped?.(to, channel, 'not_connected');
    return Promise.reject(new StateError('no_leader', `member ${to} is not connected`));
  }

  requestAddress(
    address: { readonly host: string; readonly port: number },
    kind: number,
    body: Uint8Array,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<{ readonly peer: PeerHello; readonly body: Uint8Array }> {
    checkKind(kind);
    const { context } = this;
    const deadlineMs = context.clock.monotonicMs() + timeoutMs;
    return new Promise((resolve, reject) => {
      const neverLeft = (why: string): void =>
        reject(new StateError('no_leader', `${address.host}:${address.port} was not asked: ${why}`));
      if (this.closing !== undefined) return neverLeft('this node is closing');
      const giveUp = (why: string): void => {
        cancelTimer();
        this.openDials.delete(giveUp);
        cancelDial();
        neverLeft(why);
      };
      const cancelTimer = context.clock.after(timeoutMs, () => giveUp('there was no time left'));
      this.openDials.add(giveUp);
      const cancelDial = dial(context, { ...address, channel: 'single', expected: undefined }, (outcome) => {
        cancelTimer();
        this.openDials.delete(giveUp);
        if (!outcome.ok) return neverLeft(`${outcome.reason}: ${outcome.detail}`);
        const { frames, hello: peer } = outcome;
        const connection = new Connection(context, frames, 'dialer', peer, {
          onMessage: () => undefined,
          onRequest: () => Promise.reject(new Error('a dialer is not asked')),
          onClosed: () => this.openSingles.delete(connection),
        });
        this.openSingles.add(connection);
        const leftMs = Math.max(1, deadlineMs - context.clock.monotonicMs());
        connection
          .request(kind, body, leftMs)
          .then((answer) => resolve({ peer, body: answer }), reject)
          .finally(() => connection.finish('answered'));
      });
    });
  }

  setPeers(peers: readonly PeerAddress[]): void {
    if (this.handlers === undefined) throw new Error('the handlers are set before the first peer');
    if (this.closing !== undefined) return;
    const removed = new Set(this.peers.map((peer) => peer.member));
    for (const peer of peers) removed.delete(peer.member);
    this.peers = peers;
    for (const channel of CHANNELS) this.updateLinks(channel);
    this.inbound.retain((hello) => {
      const admission = this.context.admit(hello);
      return !removed.has(hello.memberId) && admission.ok && admission.former !== true;
    }, 'not a peer any more');
  }

  setIdentity(identity: TransportIdentity): void {
    encodeHello({ ...identity, channel: 'single' }, { min: 1, max: 1 }, new Uint8Array(NONCE_BYTES));
    this.context.identity = identity;
    for (const channel of CHANNELS) this.stopLinks(channel, 'the identity changed');
    this.inbound.retain(() => false, 'the identity changed');
    for (const channel of CHANNELS) this.updateLinks(channel);
  }

  connected(to: MemberId): boolean {
    return this.links.messages.get(to)?.connection !== undefined;
  }

  reloadCredentials(): void {
    this.context.tls?.reload();
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    const cause = 'this node is closing';
    const closed = this.listener.close();
    for (const channel of CHANNELS) this.stopLinks(channel, cause);
    for (const giveUp of [...this.openDials]) giveUp(cause);
    for (const connection of [...this.openSingles]) connection.finish(cause);
    this.inbound.finishAll(cause);
    const { openSockets } = this.context;
    await Promise.all(
      [...openSockets].map(
        ({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      ),
    );
    await closed;
  }

  private updateLinks(channel: Channel): void {
    const links = this.links[channel];
    const wanted = new Map(this.peers.map((peer) => [peer.member, peer]));
    wanted.delete(this.context.identity.memberId);
    for (const [member, link] of [...links]) {
      const peer = wanted.get(member);
      if (peer?.host === link.address.host && peer.port === link.address.port) wanted.delete(member);
      else {
        links.delete(member);
        link.stop('not a peer any more');
      }
    }
    for (const peer of wanted.values()) {
      const link = new PeerLink(this.context, peer, channel, (connected) => {
        this.context.observer.onConnected?.(peer.member, channel, connected);
        if (channel === 'messages') this.handlers?.onPeer(peer.member, connected);
      });
      links.set(peer.member, link);
      link.start();
    }
  }

  private stopLinks(channel: Channel, cause: string): void {
    for (const link of this.links[channel].values()) link.stop(cause);
    this.links[channel].clear();
  }
}

/** Kinds are the host's constants: one out of range is a mistake in the program. */
function checkKind(kind: number): void {
  if (!Number.isInteger(kind) || kind < 0 || kind > 0xffff)
    throw new RangeError(`kind out of range: ${kind}`);
}
