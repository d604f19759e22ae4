import { LIMITS } from '#contracts';
import { DEFAULT_LIMITS } from '#transport';
import * as forms from './value-forms';
import type { ValueForm } from './value-forms';

const MEGABYTE = 1_048_576;
/** A command goes from node to node in one frame, with room for what stands in it beside the body. */
const BODY_BYTES_MAX = DEFAULT_LIMITS.frameBytes / 2;

/** Every variable that the server knows, with its form. Defaults are in `read-config.ts`, beside their use. */
export const VARIABLES = {
  DATA_DIR: forms.path,
  REGION: forms.name('a region', 'us-west-2'),
  HTTP_HOST: forms.host,
  HTTP_PORT: forms.wholeNumber(0, 65_535, 8080),
  ADMIN_PORT: forms.wholeNumber(0, 65_535, 9090),
  ADMIN_ON_API_PORT: forms.flag,
  CAP_KEY_ACTIVE_ID: forms.name('a key id', 'prod-2026-01'),
  CAP_KEY_ACTIVE: forms.signingKey,
  CAP_KEY_NEXT_ID: forms.name('a key id', 'prod-2026-02'),
  CAP_KEY_NEXT: forms.signingKey,
  DEV_MODE: forms.flag,
  NODE_ID: forms.name('a node id', 'node-1'),
  PEER_HOST: forms.host,
  PEER_PORT: forms.wholeNumber(0, 65_535, 7400),
  CLUSTER_SECRET: forms.secret,
  CLUSTER_NODES: forms.list(forms.clusterNode),
  CLUSTER_JOIN: forms.list(forms.hostAndPort),
  DEFAULT_REPLICAS: forms.wholeNumber(1, 9, 3),
  NATS_URL: forms.list(forms.url(['nats:', 'tls:'], 'nats://127.0.0.1:4222')),
  NATS_USER: forms.natsText('a user'),
  NATS_PASSWORD: forms.natsText('a password'),
  NATS_TOKEN: forms.natsText('a token'),
  NATS_NKEY_SEED: forms.nkeySeed,
  NATS_TLS_CA_PATH: forms.path,
  NATS_TLS_CERT_PATH: forms.path,
  NATS_TLS_KEY_PATH: forms.path,
  TLS_CERT_PATH: forms.path,
  TLS_KEY_PATH: forms.path,
  TLS_CLIENT_CA_PATH: forms.path,
  PEER_TLS_CERT_PATH: forms.path,
  PEER_TLS_KEY_PATH: forms.path,
  PEER_TLS_CLIENT_CA_PATH: forms.path,
  CORS_ORIGINS: forms.list(forms.corsOrigin),
  MAX_BODY_BYTES: forms.wholeNumber(1, BODY_BYTES_MAX, LIMITS.bodyBytes),
  RATE_LIMIT_QPS: forms.wholeNumber(0, 1_000_000, 200),
  MAX_CONNECTIONS_PER_ADDRESS: forms.wholeNumber(0, 1_000_000, 256),
  AUTH_FAILURE_LIMIT_QPS: forms.wholeNumber(0, 1_000_000, 1_000),
  MAX_WATCHERS: forms.wholeNumber(0, 1_000_000, 10_000),
  MAX_WATCHERS_PER_TOKEN: forms.wholeNumber(1, 1_000_000, 100),
  WATCH_BUFFER_SIZE: forms.wholeNumber(1, 10_000_000, 10_000),
  WATCH_BUFFER_BYTES: forms.wholeNumber(1_024, 1_024 * MEGABYTE, 10 * MEGABYTE),
  HISTORY_RETENTION_SECONDS: forms.wholeNumber(0, LIMITS.ttlSeconds, 86_400),
  HISTORY_RETENTION_COMMITS: forms.wholeNumber(0, 1_000_000_000_000, 1_000_000),
  WAL_SEGMENT_BYTES: forms.wholeNumber(65_536, 1_024 * MEGABYTE, 64 * MEGABYTE),
  WAL_RETENTION_BYTES: forms.wholeNumber(0, 1_048_576 * MEGABYTE, 1_024 * MEGABYTE),
  SNAPSHOT_INTERVAL: forms.wholeNumber(0, LIMITS.ttlSeconds, 3_600),
  SNAPSHOT_KEEP: forms.wholeNumber(0, 10_000, 24),
  RAFT_HEARTBEAT_MS: forms.wholeNumber(5, 60_000, 100),
  RAFT_ELECTION_TIMEOUT_MS: forms.wholeNumber(20, 600_000, 1_000),
  API_WORKERS: forms.wholeNumber(0, 256, 0),
  LOG_LEVEL: forms.logLevel,
  OTEL_EXPORTER_OTLP_ENDPOINT: forms.url(['http:', 'https:'], 'http://127.0.0.1:4318'),
} satisfies Record<string, ValueForm<unknown>>;

export type VariableName = keyof typeof VARIABLES;

/** Variables that may also be given as the path of a file, in `<name>_FILE`: what orchestrators mount. */
export const FILE_VARIABLES: readonly VariableName[] = [
  'CAP_KEY_ACTIVE_ID',
  'CAP_KEY_ACTIVE',
  'CAP_KEY_NEXT_ID',
  'CAP_KEY_NEXT',
  'CLUSTER_SECRET',
  'NATS_USER',
  'NATS_PASSWORD',
  'NATS_TOKEN',
  'NATS_NKEY_SEED',
];

/** Variables whose text never stands in a message. */
export const SECRET_VARIABLES: readonly VariableName[] = [
  'CAP_KEY_ACTIVE',
  'CAP_KEY_NEXT',
  'CLUSTER_SECRET',
  'NATS_URL',
  'NATS_USER',
  'NATS_PASSWORD',
  'NATS_TOKEN',
  'NATS_NKEY_SEED',
];
