import { ScriptedServer } from '../testing/scripted-server.js';
import { Client, LeaseLostError } from './index.js';

/** The goal: what is no longer wanted ends at once, and nothing else. The method: a server that never answers. */
describe('signals', () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await ScriptedServer.start();
  });
  afterAll(() => server.stop());

  test('a call ends with the reason of its signal', async () => {
    const script = await server.play({ steps: [{ answer: { fault: 'late' } }] });
    const stop = new AbortController();
    const call = new Client({ endpoints: script.urls }).get('n', 'a', { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    await script.close();
  });

  test('a signal that was aborted before sends nothing', async () => {
    const script = await server.play({ steps: [] });
    const signal = AbortSignal.abort(new Error('before'));
    await expect(new Client({ endpoints: script.urls }).get('n', 'a', { signal })).rejects.toThrow('before');
    expect((await script.close()).requests).toEqual([]);
  });

  test('a wait between two attempts ends, too', async () => {
    const script = await server.play({
      steps: [{ answer: { status: 503, headers: { 'retry-after': '30' }, text: '' } }],
    });
    const stop = new AbortController();
    const call = new Client({ endpoints: script.urls }).get('n', 'a', { signal: stop.signal });
    while ((await script.report()).requests.length === 0);
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await script.close();
  });

  test('a watch ends without an error, and gives its connection back', async () => {
    const script = await server.play({
      steps: [
        {
          answer: {
            stream: [{ id: 1, event: { type: 'BOOKMARK', ns: 'n', commit_seq: 1 } }, { hold: true }],
          },
        },
      ],
    });
    const stop = new AbortController();
    const seen: unknown[] = [];
    const options = { signal: stop.signal, bookmarks: true } as const;
    for await (const event of new Client({ endpoints: script.urls }).watch('n', options)) {
      seen.push(event);
      stop.abort();
    }
    expect(seen).toHaveLength(1);
    await script.close();
  });

  test('work under a lease hears that it is lost, and its result is the loss', async () => {
    const script = await server.play({
      steps: [
        { answer: { json: { key: 'k', owner: 'w', token: 1, expires_at: '2099-01-01T00:00:00Z' } } },
        { answer: { status: 409, json: { status: 409, code: 'lease_lost', detail: 'taken over' } } },
      ],
    });
    const work = new Client({ endpoints: script.urls }).withLease(
      'n',
      'k',
      { ttlSeconds: 1 },
      (lease) => new Promise((resolve) => lease.signal.addEventListener('abort', () => resolve('stopped'))),
    );
    await expect(work).rejects.toThrow(LeaseLostError);
    expect((await script.close()).problems).toEqual([]);
  });
});
