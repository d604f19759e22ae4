import {
  connect,
  nkeyAuthenticator,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  type Subscription,
} from '@nats-io/transport-node';
import type { BusTopic, WatchBus } from '#replication';
import { OutboundFlow } from './flow';

/** How this node proves who it is. What is not given is not asked for. */
export type NatsCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'user'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'nkey'; readonly seed: string };

export interface NatsLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface NatsBusOptions {
  /** Any of them will do; without credentials in them. */
  readonly urls: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly clusterId: string;
  readonly credentials: NatsCredentials;
  /** Paths of PEM files; TLS is used when a URL says so or a file is given. */
  readonly tls?: { readonly caPath?: string; readonly certPath?: string; readonly keyPath?: string };
  readonly logger: NatsLogger;
}

interface Listening {
  readonly subject: string;
  readonly onMessage: (message: Uint8Array) => void;
  subscription: Subscription | undefined;
  /** The server has refused it on this connection. */
  refused: boolean;
}

const DEFAULT_PLACEMENT = 'default';
/** A placement that there is none of: who may listen to it may listen to any. */
const ELSEWHERE_SUBJECT = 'elsewhere.probe';
const RECONNECT_MS = 250;
const PING_MS = 5_000;
const MISSED_PINGS = 2;
const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_GRACE_MS = 1_000;

/**
 * Core NATS as the bus of watch events: no queue groups, no JetStream. Connects, and connects again, for ever.
 *
 * Events of a placement within some regions are published only while the server refuses this very connection a
 * subject of another placement: where it does not, whoever is connected anywhere might hear them.
 */
export class NatsBus implements WatchBus {
  private connection: NatsConnection | undefined;
  private isConnected = false;
  /** Whether this connection's permissions end at its region; `undefined` until that was tried. */
  private isConfined: boolean | undefined;
  private readonly listening = new Set<Listening>();
  private readonly refusedPlacements = new Set<string>();
  private flow = new OutboundFlow(() => Promise.resolve());
  private changed: () => void = () => undefined;
  private closing = false;
  /** Why there was no connection the last time that this was told. */
  private told: string | undefined;

  private constructor(private readonly options: NatsBusOptions) {}

  /** Returns at once: the connection is made when a server can be reached. */
  static open(options: NatsBusOptions): NatsBus {
    const bus = new NatsBus(options);
    void bus.run();
    return bus;
  }

  get state(): 'connected' | 'degraded' {
    return this.isConnected ? 'connected' : 'degraded';
  }

  carries(placement: string): boolean {
    if (!this.isConnected || this.refusedPlacements.has(placement)) return false;
    return placement === DEFAULT_PLACEMENT || this.isConfined === true;
  }

  publish(topic: BusTopic, message: Uint8Array): boolean {
    const { connection } = this;
    if (connection === undefined || !this.carries(topic.placement)) return false;
    const largest = connection.info?.max_payload ?? 0;
    if (message.length > largest || !this.flow.take(message.length)) return false;
    try {
      connection.publish(this.subjectOf(topic), message);
      return true;
    } catch (error) {
      // Only a connection that is being closed refuses what fits.
      this.options.logger.warn({ err: error }, 'NATS did not take an event');
      return false;
    }
  }

  subscribe(topic: BusTopic, onMessage: (message: Uint8Array) => void): () => void {
    const listening: Listening = {
      subject: this.subjectOf(topic),
      onMessage,
      subscription: undefined,
      refused: false,
    };
    this.listening.add(listening);
    this.listen(listening, topic.placement);
    return () => {
      this.listening.delete(listening);
      this.unsubscribe(listening);
    };
  }

  onChange(listener: () => void): void {
    this.changed = listener;
  }

  async close(): Promise<void> {
    this.closing = true;
    this.isConnected = false;
    const { connection } = this;
    if (connection === undefined) return;
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_GRACE_MS).unref());
    await Promise.race([connection.close(), late]).catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (!this.closing) {
      try {
        const connection = await connect(this.connectionOptions());
        if (this.closing) return await connection.close();
        this.connection = connection;
        this.flow = new OutboundFlow(() => connection.flush());
        void this.follow(connection);
        await this.connected();
        // The client reconnects by itself; it ends only for what it takes to be final, and then this begins anew.
        const error = await connection.closed();
        if (!this.closing) this.disconnected(error);
      } catch (error) {
        this.tellOnce(error);
      }
      await new Promise<void>((resolve) => setTimeout(resolve, RECONNECT_MS).unref());
    }
  }

  /** Says why there is no connection, again only when the reason is another one: it is tried several times a second. */
  private tellOnce(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.told) return;
    this.told = reason;
    // The reason alone: errors of TLS carry whole certificates.
    this.options.logger.warn({ reason }, 'NATS cannot be reached; watch events go the other ways');
  }

  private async follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.closing || this.connection !== connection) return;
      if (status.type === 'disconnect') this.disconnected();
      else if (status.type === 'reconnect') void this.connected();
      else if (status.type === 'error')
        this.options.logger.warn({ err: status.error }, 'NATS refused something');
    }
  }

  private async connected(): Promise<void> {
    const { connection } = this;
    if (connection === undefined) return;
    this.isConfined = undefined;
    this.refusedPlacements.clear();
    this.isConnected = true;
    this.told = undefined;
    for (const listening of this.listening) {
      if (listening.subscription !== undefined && !listening.refused) continue;
      listening.refused = false;
      this.listen(listening, placementIn(listening.subject));
    }
    this.options.logger.info({ server: connection.getServer() }, 'NATS is connected');
    this.changed();
    await this.probe(connection).catch(() => undefined);
    this.changed();
  }

  private disconnected(error?: unknown): void {
    if (this.isConnected) {
      this.options.logger.warn({ err: error }, 'NATS is lost; watch events go the other ways');
    }
    this.isConnected = false;
    this.isConfined = undefined;
    this.changed();
  }

  /** Finds out whether this connection may listen to the events of a placement that it has no part in. */
  private async probe(connection: NatsConnection): Promise<void> {
    let refused = false;
    const subject = `${this.prefix()}.${ELSEWHERE_SUBJECT}`;
    const subscription = connection.subscribe(subject, {
      callback: (error) => {
        refused ||= error !== null;
      },
    });
    await connection.flush();
    this.isConfined = refused;
    if (!refused) subscription.unsubscribe();
  }

  private listen(listening: Listening, placement: string): void {
    const { connection } = this;
    if (connection === undefined || !this.isConnected) return;
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) return listening.onMessage(message.data);
      listening.refused = true;
      this.refusedPlacements.add(placement);
      this.options.logger.warn({ err: error, placement }, 'NATS refuses the events of a placement');
      this.changed();
    };
    listening.subscription = connection.subscribe(listening.subject, { callback });
  }

  private unsubscribe({ subscription }: Listening): void {
    if (subscription !== undefined && !subscription.isClosed()) subscription.unsubscribe();
  }

  private prefix(): string {
    return `agentstate.${this.options.clusterId}`;
  }

  private subjectOf({ placement, key }: BusTopic): string {
    return `${this.prefix()}.${placement}.${key}`;
  }

  private connectionOptions(): NodeConnectionOptions {
    const { urls, name, credentials, tls } = this.options;
    const secured = tls !== undefined || urls.some((url) => url.startsWith('tls:'));
    return {
      servers: urls.map((url) => url.replace(/^tls:/, 'nats:')),
      name,
      noEcho: true,
      noAsyncTraces: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      ignoreAuthErrorAbort: true,
      pingInterval: PING_MS,
      maxPingOut: MISSED_PINGS,
      timeout: CONNECT_TIMEOUT_MS,
      ...(secured && { tls: { caFile: tls?.caPath, certFile: tls?.certPath, keyFile: tls?.keyPath } }),
      ...(credentials.kind === 'user' && { user: credentials.user, pass: credentials.password }),
      ...(credentials.kind === 'token' && { token: credentials.token }),
      ...(credentials.kind === 'nkey' && {
        authenticator: nkeyAuthenticator(new TextEncoder().encode(credentials.seed)),
      }),
    };
  }
}

function placementIn(subject: string): string {
  return subject.split('.')[2] ?? '';
}
