import type { MemberId, NodeName } from '#contracts';
import type { Channel, Clock, Random } from '#replication';

/** Who a node is. Proven to peers in the handshake together with the secret or the certificate. */
export interface TransportIdentity {
  /** `undefined` while the node forms a cluster or joins one. At most 255 bytes of UTF-8. */
  readonly clusterId: string | undefined;
  /** `NO_MEMBER` (0) until the cluster has given out an id. */
  readonly memberId: MemberId;
  /** 128 bits as 32 lower-case hex digits, random, made at the node's first boot and kept with its data. */
  readonly incarnation: string;
  /** At most 255 bytes of UTF-8. */
  readonly name: NodeName;
  /** At most 255 bytes of UTF-8. */
  readonly region: string;
}

/** `single` is a connection for one question to an address, beside a peer's two links. */
export type LinkChannel = Channel | 'single';

/** What the other side said of itself; true as far as whoever holds the secret or a certificate is trusted. */
export interface PeerHello extends TransportIdentity {
  readonly channel: LinkChannel;
}

/** PEM texts. `ca` is the authority that signs the nodes of this cluster and nothing else. */
export interface TlsMaterial {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly ca: string | Buffer;
}

/** At least one of the two; with both, both are checked. */
export interface TransportCredentials {
  /** Long and random: who can dial a node, or be dialed by one, can try guesses at a short one offline. */
  readonly secret?: string;
  /** Read at the start and again by {@link Transport.reloadCredentials}. */
  readonly tls?: () => TlsMaterial;
  /** Whether the dialed host must stand in the peer's certificate. On unless turned off. */
  readonly tlsCheckHost?: boolean;
}

/** Why a handshake ended. The names are labels of a metric: they are few and never hold data. */
export const REFUSAL_REASONS = [
  'bad_magic',
  'version',
  'secret',
  'tls',
  'wrong_cluster',
  'unknown_member',
  'stale_incarnation',
  'self',
  'not_ready',
  'timeout',
  'frame_too_large',
  'crc',
  'malformed',
  'too_many',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What the host decides about a proven peer. */
export type Admission =
  /** `former`: one that was a member may ask what others may before they are one, and gets no link. */
  | { readonly ok: true; readonly former?: boolean }
  | { readonly ok: false; readonly reason: 'wrong_cluster' | 'unknown_member' | 'stale_incarnation' };

export interface TransportLimits {
  /** Longest body of a frame. */
  readonly frameBytes: number;
  /** Queued and not yet taken by the kernel, per peer and channel; at least one frame of `frameBytes`. */
  readonly queueBytes: number;
  readonly queueFrames: number;
  /** Requests of one connection that are being answered; above it they get `overloaded`. */
  readonly inboundRequests: number;
  readonly inboundRequestBytes: number;
  /** Accepted sockets that have proven nothing yet. */
  readonly unprovenConnections: number;
  /** Accepted connections of channel `single`, which anyone with the secret may open. */
  readonly singleConnections: number;
  readonly connectTimeoutMs: number;
  /** From a connected socket to a proven peer, TLS included. */
  readonly handshakeTimeoutMs: number;
  readonly pingIntervalMs: number;
  /** Without a byte for this long a connection counts as dead: rounded up to whole ping intervals. */
  readonly silenceTimeoutMs: number;
  /** How long a closing connection may take to hand over what is queued. */
  readonly closeGraceMs: number;
  /** Retry n waits a random time up to `min(backoffMaxMs, backoffMinMs * 2^n)`. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  frameBytes: 16_777_216,
  queueBytes: 33_554_432,
  queueFrames: 16_384,
  inboundRequests: 4_096,
  inboundRequestBytes: 67_108_864,
  unprovenConnections: 128,
  singleConnections: 64,
  connectTimeoutMs: 2_000,
  handshakeTimeoutMs: 5_000,
  pingIntervalMs: 1_000,
  silenceTimeoutMs: 4_000,
  closeGraceMs: 1_000,
  backoffMinMs: 50,
  backoffMaxMs: 2_000,
};

/** Why a frame was not queued. */
export type DropReason = 'full' | 'not_connected' | 'too_large';
/** Why a proven connection was closed by this side. */
export const FAULT_REASONS = ['crc', 'frame_too_large', 'malformed', 'unexpected_frame', 'silent'] as const;
export type FaultReason = (typeof FAULT_REASONS)[number];

/** Plain callbacks on the hot path: they must be quick and must not throw. */
export interface TransportObserver {
  /** Round trip of a ping on the `messages` link, in seconds, queueing included. */
  onRoundTrip?(member: MemberId, seconds: number): void;
  /** A handshake that failed: `by` us, or told to us by the peer. */
  onRefused?(reason: RefusalReason, by: 'us' | 'peer'): void;
  onDropped?(member: MemberId, channel: LinkChannel, reason: DropReason): void;
  onFault?(reason: FaultReason): void;
  /** An answer that nobody waits for any more. */
  onLateAnswer?(member: MemberId): void;
  onBytes?(direction: 'in' | 'out', bytes: number): void;
  /** A link that this node dials became usable, or stopped being so. */
  onConnected?(member: MemberId, channel: Channel, connected: boolean): void;
}

export type LogFields = Readonly<Record<string, string | number | undefined>>;

export interface TransportLogger {
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
}

export interface TransportOptions {
  /** Port 0 picks a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly identity: TransportIdentity;
  readonly credentials: TransportCredentials;
  /**
   * Decides about a peer after it is proven, on both sides of a connection. The host remembers the first
   * incarnation of each member id and refuses another: a node that lost its data may not act as its old self.
   * Asked again for accepted connections whenever the peers or the identity change.
   */
  admit(hello: PeerHello): Admission;
  /** What a node that is not yet a member of this cluster may ask; everything else is refused. */
  readonly joinKinds?: ReadonlySet<number>;
  /** Answers requests of `joinKinds` from nodes without a member id or cluster id in common. */
  onJoinRequest?(hello: PeerHello, kind: number, body: Uint8Array): Promise<Uint8Array>;
  readonly limits?: Partial<TransportLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly observer?: TransportObserver;
  readonly logger?: TransportLogger;
  /** The protocol versions this node speaks; set by tests that play an older or newer node. */
  readonly protocolVersions?: { readonly min: number; readonly max: number };
}
