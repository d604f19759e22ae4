import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from './read-config';
import { StartError } from './start-error';
import { FILE_VARIABLES, VARIABLES } from './variables';

/** The example key of the deployment guide. */
const GUIDE_KEY = 'dGhpc2lzYXNhbXBsZWtleWZvcmRlbW9zdHJhdGlvbnB1cnBvc2Vz';
const DEV = { DEV_MODE: 'true' };

function refusal(environment: NodeJS.ProcessEnv): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('the configuration was accepted');
}

describe('the configuration', () => {
  it('has the defaults of the contract', () => {
    expect(readConfig(DEV)).toMatchObject({
      dataDir: './data',
      region: 'local',
      httpHost: '127.0.0.1',
      httpPort: 8080,
      adminPort: 9090,
      adminOnApiPort: true,
      capabilityKeys: [],
      maxBodyBytes: 1048576,
      rateLimitQps: 0,
      maxWatchers: 10000,
      watchBufferEvents: 10000,
      watchBufferBytes: 10485760,
      historyRetentionSeconds: 86400,
      historyRetentionCommits: 1000000,
      walSegmentBytes: 67108864,
      raftHeartbeatMs: 100,
      raftElectionTimeoutMs: 1000,
      apiWorkers: 0,
      logLevel: 'info',
      peerPort: 7400,
      defaultReplicas: 3,
    });
  });

  it('takes keys, and then listens on every address', () => {
    const config = readConfig({ CAP_KEY_ACTIVE_ID: 'active', CAP_KEY_ACTIVE: GUIDE_KEY });
    expect(config.httpHost).toBe('0.0.0.0');
    expect(config.capabilityKeys.map(({ id, key }) => [id, key.length])).toEqual([['active', 39]]);
  });

  it('takes what may be secret from files', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'agentstate-')), 'key');
    writeFileSync(path, `${GUIDE_KEY}\n`);
    expect(readConfig({ CAP_KEY_ACTIVE_FILE: path }).capabilityKeys[0]?.key.length).toBe(39);
    expect(refusal({ CAP_KEY_ACTIVE_FILE: `${path}-not-there` })).toMatch(
      /^CAP_KEY_ACTIVE_FILE must be .*Example: /,
    );
    expect(refusal({ CAP_KEY_ACTIVE_FILE: path, CAP_KEY_ACTIVE: GUIDE_KEY })).toContain('only one of them');
    expect(FILE_VARIABLES).toEqual(
      expect.arrayContaining(['CAP_KEY_ACTIVE_ID', 'CAP_KEY_NEXT_ID', 'CAP_KEY_NEXT']),
    );
  });

  it('refuses to run without a key outside dev mode', () => {
    for (const mode of [{}, { DEV_MODE: 'false' }, { DEV_MODE: '' }]) {
      expect(refusal(mode)).toMatch(/^CAP_KEY_ACTIVE is not set: .*Example: CAP_KEY_ACTIVE=/);
    }
  });

  it.each([
    ['HTTP_PORT', '99999'],
    ['HTTP_PORT', '80 80'],
    ['ADMIN_PORT', '-1'],
    ['ADMIN_ON_API_PORT', 'yes'],
    ['DEV_MODE', 'TRUE'],
    ['REGION', 'us west'],
    ['NODE_ID', '-x'],
    ['HTTP_HOST', 'http://x'],
    ['MAX_BODY_BYTES', '1MiB'],
    ['MAX_BODY_BYTES', '0'],
    ['MAX_BODY_BYTES', '8388609'],
    ['RATE_LIMIT_QPS', '1.5'],
    ['WATCH_BUFFER_SIZE', '0'],
    ['WAL_SEGMENT_BYTES', '1e6'],
    ['RAFT_HEARTBEAT_MS', ''.padEnd(20, '9')],
    ['LOG_LEVEL', 'loud'],
    ['CORS_ORIGINS', 'https://a.example,localhost'],
    ['CORS_ORIGINS', 'https://a.example/'],
    ['CLUSTER_NODES', 'node-1@host:7400'],
    ['CLUSTER_JOIN', 'host'],
    ['NATS_URL', 'http://x'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
  ])('refuses %s=%s, and names it, its form and an example', (name, value) => {
    const message = refusal({ ...DEV, [name]: value });
    const { form, example } = VARIABLES[name as keyof typeof VARIABLES];
    expect(message).toMatch(new RegExp(`^${name} must be `));
    expect(message).toContain(form);
    expect(message).toContain(`Example: ${name}=${example}`);
  });

  it('takes bodies that fit into one frame between nodes', () => {
    expect(readConfig({ ...DEV, MAX_BODY_BYTES: '8388608' }).maxBodyBytes).toBe(8_388_608);
    expect(VARIABLES.MAX_BODY_BYTES.form).toBe('a whole number from 1 to 8388608');
  });

  it('never shows a secret', () => {
    for (const name of ['CAP_KEY_ACTIVE', 'CAP_KEY_NEXT', 'CLUSTER_SECRET']) {
      const message = refusal({ ...DEV, [name]: 'hush-hush'.repeat(name === 'CLUSTER_SECRET' ? 200 : 1) });
      expect(message).toMatch(new RegExp(`^${name} must be `));
      expect(message).not.toContain('hush-hush');
    }
  });

  it.each([
    'WAL_SEGMENT_BYTE',
    'WATCH_BUFER_SIZE',
    'CAP_KEY',
    'CAP_KEY_ACTIVE_IDS',
    'RAFT_TICKS',
    'HISTORY_RETENTION',
    'MAX_WATCHER',
    'ADMIN_PROT',
    'HTTP_PORTS',
    'CORS_ORIGIN',
    'RATE_LIMIT_QPM',
    'SNAPSHOT_INTERVAL_SECONDS',
    'SNAPSHOT_RETENTION',
    'MAX_BODY',
    'MAX_BODY_SIZE',
    'MAX_WATCHERS_PER_NAMESPACE',
    'MAX_CONNECTIONS_PER_IP',
    'AUTH_FAILURE_QPS',
    'ADMIN_HOST',
    'ADMIN_ON_API',
    'ADMIN_PORT_NUMBER',
    'API_WORKER_COUNT',
    'CORS_ORIGINS_ALLOWED',
    'DATA_DIRECTORY',
    'DEFAULT_REPLICA_COUNT',
  ])('refuses the unknown variable %s', (name) => {
    expect(refusal({ ...DEV, [name]: '1' })).toMatch(new RegExp(`^${name} is not a variable of this server`));
  });

  it('leaves the rest of the environment alone', () => {
    const rest = {
      PATH: '/bin',
      NODE_ENV: 'production',
      NODE_IP: '10.0.0.1',
      HTTP_PROXY: 'http://proxy',
      OTEL_SERVICE_NAME: 'x',
      NATS_SERVICE_HOST: '10.0.0.2',
      CLUSTER_SERVICE_HOST: '10.0.0.3',
      CLUSTER_PORT_7400_TCP_ADDR: '10.0.0.3',
      AGENTSTATE_URL: 'http://x',
      AGENTSTATE_SERVICE_HOST: '10.0.0.4',
      AGENTSTATE_PORT_8080_TCP: 'tcp://10.0.0.4:8080',
      SNAPSHOT_CONTROLLER_SERVICE_PORT_HTTP: '80',
      SNAPSHOT_PORT_8080_TCP: 'tcp://10.0.0.5:8080',
      ADMIN_SERVICE_HOST: '10.0.0.6',
      ADMIN_PORT_9000_TCP_PROTO: 'tcp',
      ADMIN_PASSWORD: 'x',
      MAX_CONNECTIONS: '5',
      CORS_ALLOW_CREDENTIALS: 'true',
      XDG_DATA_DIRS: '/usr/share',
      NODE_NAME: 'worker-1',
      API_KEY: 'x',
    };
    expect(readConfig({ ...DEV, ...rest }).devMode).toBe(true);
  });

  it('parses what this version does not do, and refuses to ignore it', () => {
    for (const [name, value] of [
      ['API_WORKERS', '2'],
      ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:4318'],
    ] as const) {
      expect(refusal({ ...DEV, [name]: value })).toBe(
        `${name} is not supported by this version: leave it unset.`,
      );
    }
    expect(readConfig({ ...DEV, TLS_CERT_PATH: '/a', TLS_KEY_PATH: '/b' }).tls).toEqual({
      certPath: '/a',
      keyPath: '/b',
    });
    expect(refusal({ ...DEV, TLS_CERT_PATH: '/a' })).toMatch(/^TLS_KEY_PATH must be/);
  });

  it('checks values that belong together', () => {
    expect(refusal({ ...DEV, RAFT_HEARTBEAT_MS: '500' })).toMatch(/^RAFT_ELECTION_TIMEOUT_MS must be/);
    expect(refusal({ ...DEV, HTTP_PORT: '9090' })).toMatch(/^ADMIN_PORT must differ/);
  });
});
