import { readFileSync } from 'node:fs';
import { LIMITS } from '#contracts';
import type { CapabilityKey, ServerConfig, TlsFiles } from './server-config';
import { StartError } from './start-error';
import { natsConfig } from './nats-config';
import { refuseUnknownVariables } from './unknown-variables';
import { refuseUnsupportedVariables } from './unsupported-variables';
import type { ValueForm } from './value-forms';
import { FILE_VARIABLES, SECRET_VARIABLES, VARIABLES, type VariableName } from './variables';

const KEY_VARIABLES = ['CAP_KEY_ACTIVE_ID', 'CAP_KEY_ACTIVE', 'CAP_KEY_NEXT_ID', 'CAP_KEY_NEXT'] as const;
const MAX_WATCHERS = 10_000;

type ValueOf<Name extends VariableName> =
  (typeof VARIABLES)[Name] extends ValueForm<infer Value> ? Value : never;

/** What is taken by hand stays until it is removed by hand; what the schedule takes must not fill the disk. */
const SCHEDULED_SNAPSHOTS_KEPT = 7;

/**
 * Reads the server's configuration from an environment. An empty variable counts as unset, as container tools
 * write it. Throws a {@link StartError} that names the variable, its form and an example.
 */
export function readConfig(environment: NodeJS.ProcessEnv): ServerConfig {
  refuseUnknownVariables(environment);
  const read = reader(environment);
  const devMode = read('DEV_MODE') ?? false;
  const nodeId = read('NODE_ID') ?? 'node-1';
  const clusterNodes = read('CLUSTER_NODES') ?? [];
  const snapshotIntervalSeconds = read('SNAPSHOT_INTERVAL') ?? 0;
  const self = clusterNodes.find(({ name }) => name === nodeId);
  const config: ServerConfig = {
    dataDir: read('DATA_DIR') ?? './data',
    region: read('REGION') ?? self?.region ?? 'local',
    nodeId,
    devMode,
    httpHost: read('HTTP_HOST') ?? (devMode ? '127.0.0.1' : '0.0.0.0'),
    httpPort: read('HTTP_PORT') ?? 8080,
    adminPort: read('ADMIN_PORT') ?? 9090,
    adminOnApiPort: read('ADMIN_ON_API_PORT') ?? true,
    capabilityKeys: capabilityKeys(read, devMode),
    peerHost: read('PEER_HOST'),
    peerPort: read('PEER_PORT') ?? self?.port ?? 7400,
    clusterSecret: read('CLUSTER_SECRET'),
    clusterNodes,
    clusterJoin: read('CLUSTER_JOIN') ?? [],
    defaultReplicas: read('DEFAULT_REPLICAS') ?? defaultReplicasFor(clusterNodes.length),
    nats: natsConfig(read),
    tls: tlsFiles(read, ''),
    peerTls: tlsFiles(read, 'PEER_'),
    corsOrigins: read('CORS_ORIGINS') ?? (devMode ? ['localhost'] : []),
    maxBodyBytes: read('MAX_BODY_BYTES') ?? LIMITS.bodyBytes,
    rateLimitQps: read('RATE_LIMIT_QPS') ?? 0,
    maxConnectionsPerAddress: read('MAX_CONNECTIONS_PER_ADDRESS') ?? 0,
    authFailureLimitQps: read('AUTH_FAILURE_LIMIT_QPS') ?? 1_000,
    maxWatchers: read('MAX_WATCHERS') ?? MAX_WATCHERS,
    maxWatchersPerToken: read('MAX_WATCHERS_PER_TOKEN') ?? read('MAX_WATCHERS') ?? MAX_WATCHERS,
    watchBufferEvents: read('WATCH_BUFFER_SIZE') ?? 10_000,
    watchBufferBytes: read('WATCH_BUFFER_BYTES') ?? 10_485_760,
    historyRetentionSeconds: read('HISTORY_RETENTION_SECONDS') ?? 86_400,
    historyRetentionCommits: read('HISTORY_RETENTION_COMMITS') ?? 1_000_000,
    walSegmentBytes: read('WAL_SEGMENT_BYTES') ?? 67_108_864,
    walRetentionBytes: read('WAL_RETENTION_BYTES') ?? 1_073_741_824,
    snapshotIntervalSeconds,
    snapshotKeep: read('SNAPSHOT_KEEP') ?? (snapshotIntervalSeconds === 0 ? 0 : SCHEDULED_SNAPSHOTS_KEPT),
    raftHeartbeatMs: read('RAFT_HEARTBEAT_MS') ?? 100,
    raftElectionTimeoutMs: read('RAFT_ELECTION_TIMEOUT_MS') ?? 1_000,
    apiWorkers: read('API_WORKERS') ?? 0,
    logLevel: read('LOG_LEVEL') ?? 'info',
    otlpEndpoint: read('OTEL_EXPORTER_OTLP_ENDPOINT'),
  };
  checkTogether(config);
  refuseUnsupportedVariables(config);
  return config;
}

/** The files that keys are read from, in an environment that gives any of them as a file. */
export function capabilityKeyFiles(environment: NodeJS.ProcessEnv): readonly string[] {
  return KEY_VARIABLES.flatMap((name) => environment[`${name}_FILE`] || []);
}

/** The keys alone, read again. Throws as {@link readConfig} does, and also when there is none. */
export function readCapabilityKeys(environment: NodeJS.ProcessEnv): readonly CapabilityKey[] {
  return capabilityKeys(reader(environment), false);
}

/**
 * All first members hold the default placement while they are few (docs/adr/0004-default-replicas.md): five nodes
 * then survive two, and not only the loss of nodes that happen to hold nothing.
 */
function defaultReplicasFor(firstMembers: number): number {
  return Math.max(3, Math.min(5, firstMembers));
}

export type Read = <Name extends VariableName>(name: Name) => ValueOf<Name> | undefined;

function reader(environment: NodeJS.ProcessEnv): Read {
  return <Name extends VariableName>(name: Name) => {
    const text = textOf(environment, name);
    if (text === undefined || text === '') return undefined;
    const variable = VARIABLES[name];
    const value = variable.parse(text) as ValueOf<Name> | undefined;
    if (value === undefined) {
      const shown = SECRET_VARIABLES.includes(name) ? 'its value' : JSON.stringify(text.slice(0, 80));
      throw new StartError(
        `${name} must be ${variable.form}, not ${shown}. Example: ${name}=${variable.example}`,
      );
    }
    return value;
  };
}

function textOf(environment: NodeJS.ProcessEnv, name: VariableName): string | undefined {
  const filePath = FILE_VARIABLES.includes(name) ? environment[`${name}_FILE`] : undefined;
  if (!filePath) return environment[name];
  if (environment[name])
    throw new StartError(`${name} and ${name}_FILE are both set: give only one of them.`);
  try {
    return readFileSync(filePath, 'utf8').trim();
  } catch (error) {
    const example = `${name}_FILE=/run/secrets/${name.toLowerCase()}`;
    throw new StartError(`${name}_FILE must be the path of a file that can be read. Example: ${example}`, {
      cause: error,
    });
  }
}

function capabilityKeys(read: Read, devMode: boolean): CapabilityKey[] {
  const active = read('CAP_KEY_ACTIVE');
  const next = read('CAP_KEY_NEXT');
  const activeId = read('CAP_KEY_ACTIVE_ID') ?? 'active';
  const nextId = read('CAP_KEY_NEXT_ID') ?? 'next';
  if (!active) {
    if (next) throw new StartError('CAP_KEY_NEXT is set without CAP_KEY_ACTIVE: set the active key too.');
    if (devMode) return [];
    throw new StartError(
      `CAP_KEY_ACTIVE is not set: it must be ${VARIABLES.CAP_KEY_ACTIVE.form}. ` +
        `Example: CAP_KEY_ACTIVE="$(openssl rand -base64 32)". DEV_MODE=true runs without keys, open to all.`,
    );
  }
  if (next && nextId === activeId) {
    throw new StartError(
      `CAP_KEY_NEXT_ID must differ from CAP_KEY_ACTIVE_ID. Example: CAP_KEY_NEXT_ID=${VARIABLES.CAP_KEY_NEXT_ID.example}`,
    );
  }
  return [{ id: activeId, key: active }, ...(next ? [{ id: nextId, key: next }] : [])];
}

function tlsFiles(read: Read, prefix: '' | 'PEER_'): TlsFiles | undefined {
  const certPath = read(`${prefix}TLS_CERT_PATH`);
  const keyPath = read(`${prefix}TLS_KEY_PATH`);
  const clientCaPath = read(`${prefix}TLS_CLIENT_CA_PATH`);
  if (!certPath && !keyPath && !clientCaPath) return undefined;
  if (!certPath || !keyPath) {
    const missing = `${prefix}${certPath ? 'TLS_KEY_PATH' : 'TLS_CERT_PATH'}`;
    throw new StartError(
      `${missing} must be a path, because TLS is on. Example: ${missing}=/etc/tls/tls.pem`,
    );
  }
  return { certPath, keyPath, clientCaPath };
}

function checkTogether(config: ServerConfig): void {
  if (config.raftElectionTimeoutMs < 3 * config.raftHeartbeatMs) {
    throw new StartError(
      `RAFT_ELECTION_TIMEOUT_MS must be at least three times RAFT_HEARTBEAT_MS (${config.raftHeartbeatMs}). ` +
        `Example: RAFT_ELECTION_TIMEOUT_MS=${10 * config.raftHeartbeatMs}`,
    );
  }
  if (config.httpPort !== 0 && config.httpPort === config.adminPort) {
    throw new StartError(
      `ADMIN_PORT must differ from HTTP_PORT (${config.httpPort}). Example: ADMIN_PORT=9090`,
    );
  }
}
