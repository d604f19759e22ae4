import { type RunningScript, ScriptedServer } from '../testing/scripted-server.js';
import { AuthenticationError, type ChangeEvent, Client } from './index.js';

/** The goal: a mirror is the namespace, whatever happens to its connection. The method: a server that cuts it. */
describe('mirror', () => {
  let server: ScriptedServer;
  let script: RunningScript | undefined;
  beforeAll(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => script?.close());
  afterAll(() => server.stop());

  const NS = 'agent://demo';
  const put = (id: string, seq: number, withId = true): object => ({
    ...(withId && { id: seq }),
    event: {
      type: 'PUT',
      ns: NS,
      id,
      commit_seq: seq,
      ts: 't',
      object: { id, ns: NS, commit_seq: seq, body: seq },
    },
  });
  const gone = (id: string, seq: number): object => ({
    id: seq,
    event: { type: 'DELETE', ns: NS, id, commit_seq: seq, ts: 't', reason: 'delete' },
  });
  const mark = (seq: number): object => ({ id: seq, event: { type: 'BOOKMARK', ns: NS, commit_seq: seq } });
  const HOLD = { hold: true };

  async function clientOf(...answers: readonly object[]): Promise<Client> {
    script = await server.play({ steps: answers.map((answer) => ({ answer })) });
    return new Client({ endpoints: script.urls, retry: { baseDelayMs: 1, maxDelayMs: 5 } });
  }

  test('is complete when it is ready, and follows', async () => {
    const client = await clientOf(
      { stream: [put('a', 1, false), put('b', 2, false), mark(2), { cut: true }] },
      { stream: [mark(2), gone('a', 3), put('c', 4), HOLD] },
    );
    await using mirror = client.mirror(NS);
    const changes: ChangeEvent[] = [];
    const sawC = new Promise<void>((resolve) =>
      mirror.subscribe((change) => {
        if (changes.push(change) === 4) resolve();
      }),
    );
    await mirror.ready;
    expect([...mirror.entries()].map(([id]) => id)).toEqual(['a', 'b']);
    expect(mirror.position).toBe(2);
    await sawC;
    expect([mirror.has('a'), mirror.get('b')?.body, mirror.get('c')?.body, mirror.size]).toEqual([
      false,
      2,
      4,
      2,
    ]);
    expect(changes.map(({ type, id }) => [type, id])).toEqual([
      ['PUT', 'a'],
      ['PUT', 'b'],
      ['DELETE', 'a'],
      ['PUT', 'c'],
    ]);
  });

  test('tells the differences when history is gone', async () => {
    const client = await clientOf(
      { stream: [put('a', 1, false), put('b', 2, false), mark(2), { cut: true }] },
      { status: 410, json: { status: 410, code: 'compacted', detail: 'gone', first_available: 50 } },
      { stream: [put('b', 2, false), put('c', 60, false), mark(61), HOLD] },
    );
    await using mirror = client.mirror(NS);
    const changes: ChangeEvent[] = [];
    const all = new Promise<void>((resolve) =>
      mirror.subscribe((change) => {
        if (changes.push(change) === 4) resolve();
      }),
    );
    await all;
    expect(changes.map(({ type, id }) => [type, id])).toEqual([
      ['PUT', 'a'],
      ['PUT', 'b'],
      ['PUT', 'c'],
      ['DELETE', 'a'],
    ]);
    expect([mirror.position, mirror.size]).toEqual([61, 2]);
  });

  test('that may not watch says so', async () => {
    const client = await clientOf({
      status: 401,
      json: { status: 401, code: 'token_expired', detail: 'late' },
    });
    const mirror = client.mirror(NS);
    await expect(mirror.ready).rejects.toThrow(AuthenticationError);
    await expect(mirror.ended).rejects.toThrow(AuthenticationError);
  });

  test('that is closed before it is complete is never ready', async () => {
    const client = await clientOf({ stream: [put('a', 1, false), HOLD] });
    const mirror = client.mirror(NS);
    await mirror.close();
    await expect(mirror.ready).rejects.toThrow('closed');
    await mirror.ended;
  });
});
