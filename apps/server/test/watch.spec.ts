import { type IncomingMessage, get } from 'node:http';
import { connect } from 'node:net';
import { StateError } from '#contracts';
import { type TestServer, startTestServer } from './test-server';

const WATCH = '/v1/agent%3A%2F%2Fdemo/watch';

let test: TestServer;
beforeEach(async () => {
  test = await startTestServer();
});
afterEach(() => test.server.stop());

function open(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: test.server.httpPort, path, headers, agent: false }, (incoming) => {
      incoming.on('error', () => undefined);
      resolve(incoming);
    }).on('error', reject);
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const watcher = () => [...test.engine.watchers][0];

describe('watch', () => {
  it('streams what the engine writes, under the headers that keep proxies from holding it back', async () => {
    const stream = await open(`${WATCH}?prefix=a&type=t&tag.__proto__=x&from_commit=3`);
    expect(stream.statusCode).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-agentstate-node': 'node-1',
    });
    const { request, sink } = watcher()!;
    expect(request).toMatchObject({ ns: 'agent://demo', from: 3, initial: false });
    expect(request.filter).toMatchObject({ prefix: 'a', type: 't' });
    expect(Object.entries(request.filter.tags ?? {})).toEqual([['__proto__', 'x']]);
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    sink.write(Buffer.from('data: 1\n\n'));
    await until(() => text.endsWith('data: 1\n\n'));
    expect(text).toMatch(/^id: 0\ndata: \{"type":"BOOKMARK"/);
    stream.destroy();
    await until(() => test.engine.watchers.size === 0);
  });

  it('resumes after Last-Event-ID, which wins over the parameters of the URL', async () => {
    const first = await open(`${WATCH}?initial=true`, { 'last-event-id': '12' });
    expect(watcher()?.request).toMatchObject({ from: 13, initial: false });
    first.destroy();
  });

  it.each(['from_commit=1&initial=true', 'from_commit=x', 'initial=yes', 'tags.a=b'])(
    'refuses parameters that are not valid: %s',
    async (query) => {
      const answer = await test.send('GET', `${WATCH}?${query}`);
      expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
    },
  );

  it('answers errors before the stream as problems', async () => {
    test.engine.failure = new StateError('compacted', 'gone', { first_available: 9 });
    const answer = await test.send('GET', `${WATCH}?from_commit=1`);
    expect([answer.status, answer.json().first_available]).toEqual([410, 9]);
  });

  it('tells the engine to wait for a watcher that never reads, and the rest goes on', async () => {
    const socket = connect({ host: '127.0.0.1', port: test.server.httpPort });
    socket.pause();
    socket.write(`GET ${WATCH} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await until(() => test.engine.watchers.size === 1);
    const slow = watcher()!;
    const chunk = Buffer.alloc(65_536, 'x');
    let writes = 0;
    while (slow.sink.write(chunk)) {
      if (++writes > 1_000) throw new Error('a watcher that never reads was never full');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const drainedBefore = slow.drained;
    expect((await test.send('GET', '/health')).text).toBe('ok');
    socket.resume();
    await until(() => slow.drained > drainedBefore);
    socket.destroy();
    await until(() => slow.closed);
  });

  it('ends with what the engine says when the server stops', async () => {
    const stream = await open(WATCH);
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise((resolve) => stream.on('end', resolve));
    await test.server.stop();
    await ended;
    expect(text).toContain('"type":"END","reason":"draining"');
  });

  it('cuts the connection of a client that does not read the end of its stream', async () => {
    const socket = connect({ host: '127.0.0.1', port: test.server.httpPort });
    socket.pause();
    socket.write(`GET ${WATCH} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await until(() => test.engine.watchers.size === 1);
    const { sink, ...slow } = watcher()!;
    while (sink.write(Buffer.alloc(65_536, 'x'))) await new Promise((resolve) => setImmediate(resolve));
    expect(slow.closed).toBe(false);
    sink.end('stalled');
    await until(() => test.engine.watchers.size === 0);
    socket.destroy();
  });

  it('answers HEAD without opening a stream', async () => {
    expect((await test.send('HEAD', WATCH)).status).toBe(200);
    expect(test.engine.watchers.size).toBe(0);
  });
});
