import { connect, type Socket } from 'node:net';
import { KEY, type TestServer, startTestServer } from './test-server';

describe('the ports', () => {
  let test: TestServer;
  beforeAll(async () => {
    test = await startTestServer();
  });
  afterAll(() => test.server.stop());

  it('serve health, readiness and metrics on both, and the API on one', async () => {
    for (const port of [test.server.httpPort, test.server.adminPort]) {
      const health = await test.send('GET', '/health', { port });
      expect([health.status, health.text]).toEqual([200, 'ok']);
      expect(health.headers['content-type']).toMatch(/^text\/plain/);
      const ready = await test.send('GET', '/ready', { port });
      expect(ready.json()).toEqual({ status: 'ready', failed: [], storage: 'ok', nats: 'degraded' });
      expect((await test.send('GET', '/metrics', { port })).status).toBe(200);
    }
    const port = test.server.adminPort;
    for (const path of ['/v1/a/objects', '/docs', '/openapi.json']) {
      expect([path, (await test.send('GET', path, { port })).status]).toEqual([path, 404]);
      expect([path, (await test.send('GET', path)).status]).toEqual([path, 200]);
    }
  });

  it('show every metric that one node has', async () => {
    await test.send('PUT', '/v1/a/objects/x', { json: {} });
    const { text } = await test.send('GET', '/metrics');
    expect(text).toMatch(/agentstate_ops_total\{op="put",result="ok"\} [1-9]/);
    expect(text).toMatch(/op_duration_seconds_count\{op="put"\} [1-9]/);
    for (const name of [
      'rate_limit_exceeded_total',
      'auth_tokens_total',
      'wal_fsync_seconds',
      'wal_batch_bytes',
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
    for (const name of [
      'event_loop_lag_seconds',
      'process_cpu_seconds_total',
      'watch_events_total',
      'raft_term',
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
  });

  it('say so when a check fails, and stay alive', async () => {
    test.engine.checks.push({ name: 'group 1', ok: false, detail: 'no leader' });
    const ready = await test.send('GET', '/ready');
    expect(ready.status).toBe(503);
    expect(ready.json()).toMatchObject({ status: 'not_ready', failed: ['group 1'], 'group 1': 'no leader' });
    test.engine.checks.pop();
    expect((await test.send('GET', '/health')).status).toBe(200);
  });

  it('keep answering beside a thousand connections that send nothing', async () => {
    const sockets: Socket[] = [];
    const opened = Array.from(
      { length: 1_000 },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect({ host: '127.0.0.1', port: test.server.httpPort }, resolve);
          socket.on('error', reject);
          sockets.push(socket);
        }),
    );
    await Promise.all(opened);
    expect((await test.send('PUT', '/v1/a/objects/x', { json: {} })).status).toBe(200);
    expect((await test.send('GET', '/health')).text).toBe('ok');
    for (const socket of sockets) socket.destroy();
  });
});

describe('ADMIN_ON_API_PORT=false', () => {
  it('moves metrics and admin to the admin port', async () => {
    const test = await startTestServer({ ADMIN_ON_API_PORT: 'false' });
    try {
      const port = test.server.adminPort;
      expect((await test.send('GET', '/metrics')).status).toBe(404);
      expect((await test.send('GET', '/metrics', { port })).status).toBe(200);
      expect((await test.send('GET', '/admin/manifest')).json().detail).toBe(
        'There is nothing at this path.',
      );
      expect((await test.send('GET', '/admin/manifest', { port })).status).toBe(200);
    } finally {
      await test.server.stop();
    }
  });
});

describe('CORS', () => {
  it('lets localhost in in dev mode, and nobody without being told', async () => {
    const dev = await startTestServer();
    const closed = await startTestServer({ CAP_KEY_ACTIVE: KEY });
    const named = await startTestServer({ CORS_ORIGINS: 'https://a.example' });
    try {
      const preflight = (origin: string) => ({
        headers: { origin, 'access-control-request-method': 'PUT' },
      });
      const allowed = await dev.send('OPTIONS', '/v1/a/objects/x', preflight('http://localhost:5173'));
      expect(allowed.status).toBe(204);
      expect(allowed.headers['access-control-allow-origin']).toBe('http://localhost:5173');
      expect(allowed.headers['access-control-allow-methods']).toContain('PUT');
      const origins = async (test: TestServer, origin: string) =>
        (await test.send('GET', '/health', { headers: { origin } })).headers['access-control-allow-origin'];
      expect(await origins(dev, 'http://localhost.evil.example')).toBeUndefined();
      expect(await origins(closed, 'http://localhost:5173')).toBeUndefined();
      expect(await origins(named, 'https://a.example')).toBe('https://a.example');
      expect(await origins(named, 'https://b.example')).toBeUndefined();
    } finally {
      await Promise.all([dev, closed, named].map(({ server }) => server.stop()));
    }
  });
});

describe('a start', () => {
  it('that finds its port taken says which variable to change', async () => {
    const first = await startTestServer();
    try {
      await expect(startTestServer({ HTTP_PORT: String(first.server.httpPort) })).rejects.toThrow(
        /^cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): change HTTP_PORT/,
      );
    } finally {
      await first.server.stop();
    }
  });
});
