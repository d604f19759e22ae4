import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVER_LIMITS } from '../src/http/server-limits';
import { KEY, NEXT_KEY, type TestServer, claims, mint, startTestServer } from './test-server';

// Goal: what strangers send costs little and harms nobody else; what operators do is written down.
// Method: a real server with small limits; what it logs is read off the process's standard output.

const PATH = '/v1/agent%3A%2F%2Fdemo/objects/x';
const KEYS = { CAP_KEY_ACTIVE: KEY };

let started: TestServer | undefined;
afterEach(async () => {
  await started?.server.stop();
  started = undefined;
  jest.restoreAllMocks();
});

async function start(environment: NodeJS.ProcessEnv): Promise<TestServer> {
  started = await startTestServer(environment);
  return started;
}

describe('refused tokens', () => {
  it('are counted by address, and past the limit not looked at; known tokens go on', async () => {
    const test = await start({ ...KEYS, AUTH_FAILURE_LIMIT_QPS: '5' });
    const send = test.send.bind(test);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    const known = mint(claims());
    expect((await send('PUT', PATH, { token: known, json: {} })).status).toBe(200);
    const guesses = [];
    for (let count = 0; count < 7; count++) {
      const answer = await send('GET', PATH, { token: mint(claims({ jti: `${count}` }), { key: NEXT_KEY }) });
      guesses.push([answer.status, answer.json().code]);
    }
    expect(guesses.slice(0, 5)).toEqual(Array(5).fill([401, 'token_bad_signature']));
    expect(guesses.slice(5)).toEqual(Array(2).fill([429, 'rate_limited']));
    const good = await send('GET', PATH, { token: mint(claims({ jti: 'new' })) });
    expect([good.status, good.headers['retry-after']]).toEqual([429, '1']);
    expect((await send('GET', PATH, { token: known })).status).toBe(200);
    const { text } = await send('GET', '/metrics');
    expect(text).toContain('auth_tokens_total{kid="unknown",result="rate_limited"} 3');
  });
});

describe('connections', () => {
  it('past the limit of an address are ended before a byte is read', async () => {
    const test = await start({ MAX_CONNECTIONS_PER_ADDRESS: '3' });
    const { server } = test;
    const send = test.send.bind(test);
    const open = await Promise.all([1, 2, 3].map(() => connected(server.httpPort)));
    const fourth = await connected(server.httpPort);
    await closed(fourth);
    const metrics = await send('GET', '/metrics', { port: server.adminPort }).catch(() => undefined);
    expect(metrics).toBeUndefined();
    open[0]?.destroy();
    await until(async () => (await send('GET', '/health').catch(() => undefined))?.status === 200);
    for (const socket of open) socket.destroy();
    await until(async () =>
      (await send('GET', '/metrics').catch(() => undefined))?.text.includes(
        'http_connections_refused_total{reason="address"}',
      ),
    );
  });

  it('that send their headers byte by byte are ended; a watch that sends nothing is not', async () => {
    jest.replaceProperty(SERVER_LIMITS, 'headersTimeoutMs', 300 as never);
    jest.replaceProperty(SERVER_LIMITS, 'requestTimeoutMs', 600 as never);
    const { server } = await start({});
    const watch = await connected(server.httpPort);
    watch.write('GET /v1/a/watch HTTP/1.1\r\nhost: a\r\n\r\n');
    let seen = '';
    watch.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    let watchEnded = false;
    watch.once('close', () => (watchEnded = true));
    await until(() => Promise.resolve(seen.includes('BOOKMARK')));
    const slow = await connected(server.httpPort);
    const text = 'GET /health HTTP/1.1\r\nhost: a\r\nx-slow: ';
    let sent = 0;
    const dripping = setInterval(() => slow.write(text[sent++ % text.length] ?? ''), 20);
    slow.once('close', () => clearInterval(dripping));
    const unfinished = await connected(server.httpPort);
    unfinished.write(
      'PUT /v1/a/objects/x HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    );
    await Promise.all([closed(slow), closed(unfinished)]);
    expect(watchEnded).toBe(false);
    watch.destroy();
  }, 30_000);
});

describe('idle connections', () => {
  const short = { headersTimeoutMs: 300, keepAliveTimeoutMs: 300, inactivityTimeoutMs: 500 };
  /** With a single connection for each address, the next request passes only once the server has ended this one. */
  const ONE = { MAX_CONNECTIONS_PER_ADDRESS: '1' };
  const ended = (test: TestServer): Promise<void> =>
    until(async () => (await test.send('GET', '/health').catch(() => undefined))?.status === 200);

  beforeEach(() => {
    for (const [name, value] of Object.entries(short))
      jest.replaceProperty(SERVER_LIMITS, name as 'headersTimeoutMs', value as never);
  });

  it('that never say anything are ended', async () => {
    const test = await start(ONE);
    const silent = await connected(test.server.httpPort);
    await closed(silent);
    await ended(test);
  }, 30_000);

  it('between requests are ended, after an answer like any other', async () => {
    const test = await start(ONE);
    const kept = await connected(test.server.httpPort);
    let seen = '';
    kept.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    kept.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    await closed(kept);
    expect(seen).toMatch(/^HTTP\/1\.1 200 OK[^]*ok$/);
    await ended(test);
  }, 30_000);

  it('whose client does not read its answers are ended', async () => {
    // Not because the next request is late.
    jest.replaceProperty(SERVER_LIMITS, 'headersTimeoutMs', 600_000 as never);
    jest.replaceProperty(SERVER_LIMITS, 'requestTimeoutMs', 600_000 as never);
    const test = await start(ONE);
    const deaf = await connected(test.server.httpPort);
    deaf.pause();
    // More than the buffers of both sockets hold: the server cannot send on, and waits.
    deaf.write('GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(2_000));
    await ended(test);
    deaf.destroy();
  }, 30_000);
});

describe('all connections', () => {
  it('together have a limit, and what is past it is counted', async () => {
    jest.replaceProperty(SERVER_LIMITS, 'requestConnections', 2 as never);
    const test = await start({ MAX_WATCHERS: '1' });
    const open = await Promise.all([1, 2, 3].map(() => connected(test.server.httpPort)));
    const past = await connected(test.server.httpPort);
    await closed(past);
    for (const socket of open) socket.destroy();
    const counted = /^http_connections_refused_total\{reason="server"\} [1-9]/m;
    await until(async () =>
      counted.test((await test.send('GET', '/metrics').catch(() => undefined))?.text ?? ''),
    );
  });
});

describe('the audit log', () => {
  it('has a line for each request of an operator, granted or not, and never a token', async () => {
    const written: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const test = await start({ ...KEYS, LOG_LEVEL: 'error' });
    const send = test.send.bind(test);
    const token = mint(claims({ ns: 'admin://global', ops: ['ADMIN'], jti: 'ops-1' }));
    const weak = mint(claims());
    await send('GET', '/admin/cluster', { token });
    await send('POST', '/admin/cluster/transfer-leader', { token: weak, json: {} });
    await send('DELETE', `/admin/cluster/nodes/node-9?access_token=${token}`, {
      headers: { 'x-request-id': 'r-3' },
    });
    const lines = (): Record<string, unknown>[] =>
      written
        .join('')
        .split('\n')
        .filter((line) => line.includes('"audit":true'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await until(() => Promise.resolve(lines().length === 3));
    expect(lines()).toMatchObject([
      {
        level: 'info',
        method: 'GET',
        path: '/admin/cluster',
        status: expect.any(Number) as number,
        actor: 'ops-1',
        key_id: 'active',
      },
      { method: 'POST', path: '/admin/cluster/transfer-leader', status: 403, actor: null },
      {
        method: 'DELETE',
        path: '/admin/cluster/nodes/node-9',
        status: 401,
        request_id: 'r-3',
        remote_address: '127.0.0.1',
      },
    ]);
    for (const secret of [token, weak, token.split('.')[2] as string])
      expect(written.join('')).not.toContain(secret);
  });
});

describe('keys in files', () => {
  it('are taken into use when the files change; what cannot be used changes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'agentstate-keys-'));
    const file = join(folder, 'active');
    try {
      writeFileSync(file, KEY);
      const test = await start({ CAP_KEY_ACTIVE_FILE: file, HTTP_HOST: '127.0.0.1' });
      const send = test.send.bind(test);
      const old = mint(claims());
      const fresh = mint(claims(), { key: NEXT_KEY });
      const status = async (token: string): Promise<number> =>
        (await send('PUT', PATH, { token, json: {} })).status;
      expect([await status(old), await status(fresh)]).toEqual([200, 401]);
      writeFileSync(file, NEXT_KEY);
      await until(async () => (await status(fresh)) === 200);
      expect(await status(old)).toBe(401);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 30_000);
});

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
  });
}

function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => (socket.closed ? resolve() : void socket.once('close', () => resolve())));
}

/** The deadline only keeps what never comes from hanging the run. */
async function until(condition: () => Promise<boolean | undefined>): Promise<void> {
  const deadlineMs = performance.now() + 25_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('what was waited for never came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
