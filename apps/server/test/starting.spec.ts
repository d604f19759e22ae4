import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { type RequestOptions, request as tlsRequest } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type IssuedCertificate, TestAuthority, hasOpenssl } from '#testkit';
import { type RunningServer, serve } from '../src/bootstrap';
import type { EngineFactory } from '../src/replication';
import { MemoryEngine } from './memory-engine';

// Goal: a node whose engine takes long to come listens, tells probes where it stands and refuses everything else; one
// whose start fails leaves nothing behind.
// Method: a real server on ports that are known beforehand, over an engine that comes when the test says so.

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A start that waits for its engine. */
class Start {
  readonly server: Promise<RunningServer>;
  readonly asked: Promise<void>;
  progress: (what: string) => void = () => undefined;
  engineComes: () => void = () => undefined;
  engineFails: (error: Error) => void = () => undefined;

  private constructor(
    readonly ports: { readonly http: number; readonly admin: number },
    environment: NodeJS.ProcessEnv,
  ) {
    let createEngine: EngineFactory | undefined;
    this.asked = new Promise((wasAsked) => {
      createEngine = (_config, _metrics, _logger, onProgress) => {
        this.progress = onProgress;
        wasAsked();
        return new Promise((resolve, reject) => {
          this.engineComes = () => resolve(new MemoryEngine());
          this.engineFails = reject;
        });
      };
    });
    const HTTP_PORT = `${ports.http}`;
    const settings = { DEV_MODE: 'true', HTTP_PORT, ADMIN_PORT: `${ports.admin}`, LOG_LEVEL: 'silent' };
    this.server = serve({ ...settings, ...environment }, createEngine);
    // Whoever awaits it sees the failure.
    this.server.catch(() => undefined);
  }

  /** Resolves when the engine was asked for: the node listens since. */
  static async begin(environment: NodeJS.ProcessEnv = {}): Promise<Start> {
    const [http, admin] = [await freePort(), await freePort()];
    const start = new Start({ http, admin }, environment);
    await Promise.race([start.asked, start.server]);
    return start;
  }

  async end(): Promise<void> {
    this.engineComes();
    await (await this.server).stop();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function send(
  port: number,
  path: string,
  { body, tls, ...options }: RequestOptions & { body?: Buffer; tls?: RequestOptions } = {},
): Promise<Reply> {
  const target = { host: '127.0.0.1', port, path, agent: false, ...options, ...tls };
  return new Promise((resolve, reject) => {
    const sent = (tls ? tlsRequest : request)(target, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('a node that starts', () => {
  let start: Start;
  beforeEach(async () => {
    start = await Start.begin({ REGION: 'mars-1' });
  });
  afterEach(() => start.end());

  it('is alive and not ready on both ports, and says what it waits for', async () => {
    for (const port of [start.ports.http, start.ports.admin]) {
      const health = await send(port, '/health?x');
      expect([health.status, health.text]).toEqual([200, 'ok']);
      expect(health.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'x-agentstate-region': 'mars-1',
        'x-request-id': expect.any(String) as string,
      });
      start.progress('waiting to meet n2');
      const ready = await send(port, '/ready');
      expect([ready.status, JSON.parse(ready.text)]).toEqual([
        503,
        { status: 'not_ready', failed: ['starting'], starting: 'waiting to meet n2' },
      ]);
      expect(await send(port, '/health', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    }
  });

  it('refuses everything else after a moment as an error of the API, also where a body comes with it', async () => {
    const requests = [
      ['PUT', '/v1/a/objects/x'],
      ['GET', '/metrics'],
      ['GET', '/healthy'],
      ['POST', '/health'],
    ] as const;
    const headers = { 'content-type': 'application/json', 'x-request-id': 'mine' };
    const answers = [start.ports.http, start.ports.admin].flatMap((port) =>
      requests.map(([method, path]) => {
        const body = method === 'GET' ? undefined : Buffer.alloc(3_000_000, ' ');
        return send(port, path, { method, headers, body });
      }),
    );
    for (const refused of await Promise.all(answers)) {
      expect(refused).toMatchObject({
        status: 503,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '1', 'x-request-id': 'mine' },
      });
      expect(JSON.parse(refused.text)).toMatchObject({ code: 'not_ready', status: 503, request_id: 'mine' });
    }
  });

  it('answers what came shortly before its engine', async () => {
    const put = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"body":1}'),
    };
    const [written, ready] = [
      send(start.ports.http, '/v1/a/objects/x', put),
      send(start.ports.http, '/ready'),
    ];
    expect((await ready).status).toBe(503);
    start.engineComes();
    expect(await written).toMatchObject({ status: 200 });
  });

  it('serves on the same connections once its engine is there', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      expect((await send(start.ports.http, '/v1/a/objects', { agent })).status).toBe(503);
      start.engineComes();
      await start.server;
      expect((await send(start.ports.http, '/v1/a/objects', { agent })).status).toBe(200);
      expect((await send(start.ports.http, '/ready', { agent })).status).toBe(200);
      expect((await send(start.ports.admin, '/metrics')).status).toBe(200);
    } finally {
      agent.destroy();
    }
  });
});

test('a node that starts holds to its limit of connections, and counts whom it refused', async () => {
  const start = await Start.begin({ MAX_CONNECTIONS_PER_ADDRESS: '1' });
  try {
    const first = connect(start.ports.admin, '127.0.0.1');
    await new Promise((resolve, reject) => first.once('connect', resolve).once('error', reject));
    await expect(send(start.ports.admin, '/health')).rejects.toThrow(/hang up|ECONNRESET/);
    first.destroy();
    start.engineComes();
    await start.server;
    let metrics: Reply | undefined;
    // The server sees that a connection has ended somewhat later than its client.
    while (metrics === undefined) metrics = await send(start.ports.admin, '/metrics').catch(() => undefined);
    expect(metrics.text).toMatch(/^http_connections_refused_total\{reason="address"\} [1-9]/m);
  } finally {
    await start.end();
  }
});

describe('a start that fails', () => {
  it('leaves no port open', async () => {
    const start = await Start.begin();
    start.engineFails(new Error('damaged'));
    await expect(start.server).rejects.toThrow('damaged');
    for (const port of [start.ports.http, start.ports.admin]) {
      await expect(send(port, '/health')).rejects.toThrow('ECONNREFUSED');
    }
  });

  it.each(['HTTP_PORT', 'ADMIN_PORT'])('for a taken %s has touched no data', async (variable) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const createEngine = jest.fn(() => Promise.resolve(new MemoryEngine()));
    const settings = { DEV_MODE: 'true', HTTP_PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'silent' };
    try {
      await expect(serve({ ...settings, [variable]: `${port}` }, createEngine)).rejects.toThrow(
        `cannot listen on 127.0.0.1:${port} (EADDRINUSE): change ${variable}`,
      );
      expect(createEngine).not.toHaveBeenCalled();
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });
});

(hasOpenssl() ? describe : describe.skip)('a node that starts with TLS', () => {
  let authority: TestAuthority;
  let certificate: IssuedCertificate;
  beforeAll(() => {
    authority = new TestAuthority('ours');
    certificate = authority.issue('IP:127.0.0.1,DNS:localhost');
  });
  afterAll(() => authority.remove());

  it('speaks it, and asks for certificates of clients where it will later', async () => {
    const { certPath, keyPath, caPath, ca, cert, key } = certificate;
    const start = await Start.begin({
      ...{ TLS_CERT_PATH: certPath, TLS_KEY_PATH: keyPath, TLS_CLIENT_CA_PATH: caPath },
    });
    try {
      const { http, admin } = start.ports;
      expect(await send(admin, '/health', { tls: { ca } })).toMatchObject({ status: 200, text: 'ok' });
      expect((await send(admin, '/ready', { tls: { ca } })).status).toBe(503);
      expect((await send(http, '/v1/a/objects', { tls: { ca, cert, key } })).status).toBe(503);
      await expect(send(http, '/health', { tls: { ca } })).rejects.toThrow(
        /certificate required|hang up|ECONNRESET/,
      );
      await expect(send(http, '/health')).rejects.toThrow(/hang up|ECONNRESET/);
    } finally {
      await start.end();
    }
  });
});
