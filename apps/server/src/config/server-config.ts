import type { NatsCredentials } from '#nats';

/** A node named at the first boot of a cluster. */
export interface ClusterNode {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly region: string;
}

/** A key that signs capabilities; `key` is never logged. */
export interface CapabilityKey {
  readonly id: string;
  readonly key: Buffer;
}

export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
  readonly clientCaPath?: string;
}

/** How to reach NATS. `credentials` are never logged. */
export interface NatsConfig {
  readonly urls: readonly string[];
  readonly credentials: NatsCredentials;
  readonly tls?: { readonly caPath?: string; readonly certPath?: string; readonly keyPath?: string };
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Everything an operator can set, parsed and checked. Units are in the names. */
export interface ServerConfig {
  readonly dataDir: string;
  readonly region: string;
  readonly nodeId: string;
  readonly devMode: boolean;
  readonly httpHost: string;
  /** 0 picks a free port, for `adminPort` too. */
  readonly httpPort: number;
  readonly adminPort: number;
  readonly adminOnApiPort: boolean;
  /** Active key first; empty only in dev mode, and then every request is let in. */
  readonly capabilityKeys: readonly CapabilityKey[];
  readonly peerHost?: string;
  readonly peerPort: number;
  readonly clusterSecret?: string;
  readonly clusterNodes: readonly ClusterNode[];
  readonly clusterJoin: readonly HostAndPort[];
  readonly defaultReplicas: number;
  readonly nats?: NatsConfig;
  readonly tls?: TlsFiles;
  readonly peerTls?: TlsFiles;
  /** Exact origins, or `*`; `localhost` stands for any port of this machine (dev mode's default). */
  readonly corsOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** Requests per second and namespace; 0 is off. */
  readonly rateLimitQps: number;
  /** TCP connections of one address, to both ports together; 0 is off. */
  readonly maxConnectionsPerAddress: number;
  /** Refused tokens per second and address, past which none of that address is checked; 0 is off. */
  readonly authFailureLimitQps: number;
  readonly maxWatchers: number;
  readonly maxWatchersPerToken: number;
  readonly watchBufferEvents: number;
  readonly watchBufferBytes: number;
  readonly historyRetentionSeconds: number;
  readonly historyRetentionCommits: number;
  readonly walSegmentBytes: number;
  /** What the log may take so that snapshots can be rolled forward through it. */
  readonly walRetentionBytes: number;
  /** Between two snapshots that are taken by themselves; 0 takes none. */
  readonly snapshotIntervalSeconds: number;
  /** How many snapshots stay; 0 keeps all. */
  readonly snapshotKeep: number;
  readonly raftHeartbeatMs: number;
  readonly raftElectionTimeoutMs: number;
  readonly apiWorkers: number;
  readonly logLevel: LogLevel;
  readonly otlpEndpoint?: string;
}
