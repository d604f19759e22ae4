import { createHash } from 'node:crypto';
import { NO_MEMBER, type MemberId, type NodeName } from '#contracts';
import {
  Formation,
  KINDS_BEFORE_MEMBERSHIP,
  KnownUnderAnotherDisk,
  NO_PEERS,
  PeerKind,
  join,
  type Introductions,
  type Network,
  type Node,
  type NodeIdentity,
} from '#replication';
import {
  openTransport,
  type Admission,
  type PeerHello,
  type TlsMaterial,
  type Transport,
  type TransportCredentials,
} from '#transport';
import { type ServerConfig, StartError } from '../config';
import type { Logger } from '../logging';
import type { EngineObserver } from '../metrics';
import type { IdentityFile } from '#storage';
import type { Quarantine } from './quarantine';
import { ReloadingTls } from '../tls';
import { SYSTEM_CLOCK } from './system-clock';

/** The links of a node and who it is on them. */
export interface PeerNetwork {
  readonly network: Network;
  /** Absent on a node that has no peers. */
  readonly introductions: Introductions | undefined;
  readonly identity: NodeIdentity;
  /** Where others reach this node. */
  readonly address: { readonly host: string; readonly port: number };
  /** The node is there: from now on it decides who is admitted. */
  serve(node: Node): void;
}

export interface PeerTelling {
  readonly metrics: EngineObserver;
  readonly logger: Logger;
  readonly onProgress: (what: string) => void;
}

const SHORT_SECRET_CHARACTERS = 16;
const DEVELOPMENT_SECRET = 'agentstate-development';

/** A node without peers is known by its disk alone. */
export function aloneOn(identity: NodeIdentity, config: ServerConfig): PeerNetwork {
  const address = { host: '127.0.0.1', port: config.peerPort };
  return { network: NO_PEERS, introductions: undefined, identity, address, serve: () => undefined };
}

/**
 * Opens the links and finds out who this node is: the identity on its disk, or the one it gets by forming a cluster
 * with the nodes of `CLUSTER_NODES`, or by joining one; after its data was set aside, by coming back. Waits as long as that takes, and says what for.
 */
export async function openPeerNetwork(
  config: ServerConfig,
  disk: { readonly identities: IdentityFile; readonly quarantine: Quarantine },
  known: NodeIdentity | undefined,
  telling: PeerTelling,
): Promise<PeerNetwork> {
  const introduction = new PeerIntroduction(config, disk, telling);
  try {
    return await introduction.open(known);
  } catch (error) {
    await introduction.close();
    throw error;
  }
}

class PeerIntroduction {
  private transport: Transport | undefined;
  private tls: ReloadingTls | undefined;
  private formation: Formation | undefined;
  private identity: NodeIdentity | undefined;
  private node: Node | undefined;
  private closed = false;

  constructor(
    private readonly config: ServerConfig,
    private readonly disk: { readonly identities: IdentityFile; readonly quarantine: Quarantine },
    private readonly telling: PeerTelling,
  ) {}

  async open(known: NodeIdentity | undefined): Promise<PeerNetwork> {
    const { config } = this;
    const { logger } = this.telling;
    const incarnation = known?.incarnation ?? (await this.disk.identities.incarnation());
    this.identity = known;
    this.formation = this.newFormation(incarnation);
    const listenHost = config.peerHost ?? (config.devMode ? '127.0.0.1' : '0.0.0.0');
    const transport = await openTransport({
      listen: { host: listenHost, port: config.peerPort },
      identity: this.introduced(incarnation),
      credentials: this.credentials(),
      admit: (hello) => this.admit(hello),
      joinKinds: new Set(KINDS_BEFORE_MEMBERSHIP),
      onJoinRequest: (hello, kind, body) => this.answer(hello, kind, body),
      observer: {
        onRoundTrip: (member, seconds) => this.telling.metrics.peerAnswered(this.nameOf(member), seconds),
        onRefused: (reason) => this.telling.metrics.peerRefused(reason),
        onFault: (reason) => this.telling.metrics.peerFaulted(reason),
      },
      logger: {
        info: (what, fields) => logger.info(fields, what),
        // While a cluster forms some are members a moment before others: no news for an operator.
        warn: (what, fields) =>
          known === undefined && fields['reason'] === 'unknown_member'
            ? logger.debug(fields, what)
            : logger.warn(fields, what),
      },
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
      throw new StartError(
        `PEER_PORT=${config.peerPort} on ${listenHost} cannot be listened on (${error.code}).`,
      );
    });
    this.transport = transport;
    this.tls?.follow(
      { logger, certificateLoaded: (use, seconds) => this.telling.metrics.certificateLoaded(use, seconds) },
      () => transport.reloadCredentials(),
    );
    if (this.identity === undefined) {
      this.identity = await this.become(incarnation, transport);
      await this.disk.identities.save(this.identity);
      if (this.disk.quarantine.peers !== undefined) await this.disk.quarantine.finish();
      transport.setIdentity(this.introduced(incarnation));
    }
    return {
      network: transport,
      introductions: this.introducing(transport).introductions,
      identity: this.identity,
      address: { host: this.advertisedHost(), port: transport.address.port },
      serve: (node) => {
        this.node = node;
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.tls?.close();
    await this.transport?.close();
  }

  private async become(incarnation: string, transport: Transport): Promise<NodeIdentity> {
    const { config, formation } = this;
    if (formation !== undefined) {
      try {
        return await formation.run();
      } catch (error) {
        if (!(error instanceof KnownUnderAnotherDisk)) throw error;
        this.telling.logger.warn(`${error.message}: joining it as a new member in the place of the old one`);
      }
    }
    this.telling.onProgress('waiting to be let into the cluster');
    const name = config.nodeId as NodeName;
    const others = config.clusterNodes.filter((node) => node.name !== name);
    const { host, port } = { host: this.advertisedHost(), port: transport.address.port };
    return join(
      { name, incarnation, region: config.region, host, port, httpUrl: '' },
      [...config.clusterJoin, ...others, ...(this.disk.quarantine.peers ?? [])],
      this.introducing(transport),
    );
  }

  private introducing(transport?: Transport): Parameters<typeof join>[2] {
    return {
      introductions: {
        ask: async (address, kind, body, options) => {
          const through = transport ?? this.transport;
          if (through === undefined) throw new Error('the links are not open yet');
          return (await through.requestAddress(address, kind, body, options)).body;
        },
      },
      clock: SYSTEM_CLOCK,
      onProgress: (what) => this.telling.logger.info(what),
      stopped: () => this.closed,
    };
  }

  private newFormation(incarnation: string): Formation | undefined {
    const { clusterNodes, nodeId, clusterJoin } = this.config;
    if (clusterNodes.length === 0 || clusterJoin.length > 0) return undefined;
    // Whose data was damaged has been in a cluster, and must not begin one with others that come with nothing.
    if (this.disk.quarantine.peers !== undefined) return undefined;
    if (!clusterNodes.some(({ name }) => name === nodeId)) {
      throw new StartError(
        `CLUSTER_NODES does not name this node, NODE_ID=${nodeId}. Example: CLUSTER_NODES=${nodeId}=127.0.0.1:7400@local`,
      );
    }
    const introducing = this.introducing();
    return new Formation({
      ...introducing,
      onProgress: (what) => {
        introducing.onProgress(what);
        this.telling.onProgress(what);
      },
      name: nodeId as NodeName,
      incarnation,
      nodes: clusterNodes.map((node) => ({ ...node, name: node.name as NodeName })),
      digest: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    });
  }

  private introduced(incarnation: string): Parameters<Transport['setIdentity']>[0] {
    const { nodeId, region } = this.config;
    return {
      clusterId: this.identity?.clusterId,
      memberId: this.identity?.member ?? NO_MEMBER,
      incarnation,
      name: nodeId as NodeName,
      region,
    };
  }

  private admit(hello: PeerHello): Admission {
    // Whoever is not a member yet may ask to become one, and nothing else: the links see to that.
    const clusterId = this.identity?.clusterId;
    if (clusterId === undefined || hello.clusterId === undefined || hello.memberId === NO_MEMBER) {
      return { ok: true };
    }
    if (hello.clusterId !== clusterId) return { ok: false, reason: 'wrong_cluster' };
    switch (this.node?.knows(hello) ?? this.knowsFounder(hello)) {
      case 'known':
        return { ok: true };
      case 'former':
        return { ok: true, former: true };
      case 'unknown':
        return { ok: false, reason: 'unknown_member' };
      case 'stale':
        return { ok: false, reason: 'stale_incarnation' };
    }
  }

  private knowsFounder(hello: PeerHello): 'known' | 'unknown' | 'stale' {
    const founder = this.identity?.founders.find(({ member }) => member === hello.memberId);
    if (founder === undefined) return 'unknown';
    return founder.incarnation === hello.incarnation ? 'known' : 'stale';
  }

  private nameOf(member: MemberId): string {
    const known =
      this.node?.directory.nodes.get(member) ??
      this.identity?.founders.find((founder) => founder.member === member);
    return known?.name ?? `member-${member}`;
  }

  private answer(hello: PeerHello, kind: number, body: Uint8Array): Promise<Uint8Array> {
    if (kind === PeerKind.form && this.formation !== undefined) {
      return Promise.resolve(this.formation.answer(body, this.identity));
    }
    if (kind !== PeerKind.form && this.node !== undefined) return this.node.answerStranger(kind, body);
    return Promise.reject(new Error(`${hello.name} asked what this node cannot answer yet`));
  }

  private credentials(): TransportCredentials {
    this.tls = peerTls(this.config);
    const made = credentials(this.config, this.tls);
    if (made.secret !== undefined && made.secret.length < SHORT_SECRET_CHARACTERS) {
      this.telling.logger.warn(
        'CLUSTER_SECRET is short: whoever reaches the peer port can try guesses at it',
      );
    }
    return made;
  }

  private advertisedHost(): string {
    const { peerHost, clusterNodes, nodeId } = this.config;
    return peerHost ?? clusterNodes.find(({ name }) => name === nodeId)?.host ?? '127.0.0.1';
  }
}

function peerTls({ peerTls: files }: ServerConfig): ReloadingTls | undefined {
  if (files === undefined) return undefined;
  if (files.clientCaPath === undefined) {
    throw new StartError('PEER_TLS_CLIENT_CA_PATH is missing: without it any certificate would be let in.');
  }
  return new ReloadingTls(files, 'peers');
}

function peerMaterial({ material }: ReloadingTls): TlsMaterial {
  const { ca } = material;
  if (ca === undefined) throw new Error('peers have no authority to check each other by');
  return { ...material, ca };
}

function credentials(config: ServerConfig, tls: ReloadingTls | undefined): TransportCredentials {
  const { clusterSecret, devMode } = config;
  if (clusterSecret === undefined && tls === undefined && !devMode) {
    throw new StartError(
      'CLUSTER_SECRET is missing: peers must prove it to each other. Example: CLUSTER_SECRET="$(openssl rand -base64 32)"',
    );
  }
  const secret = clusterSecret ?? (tls === undefined ? DEVELOPMENT_SECRET : undefined);
  return tls === undefined ? { secret } : { secret, tls: () => peerMaterial(tls) };
}
