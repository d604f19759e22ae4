import {
  type ChangeEvent,
  Client,
  FenceStaleError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  LeaseHeldError,
  NotFoundError,
  PreconditionFailedError,
  type Query,
} from '../libs/client/src/index';
import { Scratch } from './launcher/scratch';

interface Task {
  readonly n?: number;
  readonly done?: boolean;
  readonly deep?: { readonly word: string };
}

/** The goal: the SDK can do what the API can. The method: one script per subject, against a real node. */
describe('the SDK and a node', () => {
  const scratch = new Scratch();
  let client: Client;
  let url: string;
  beforeAll(async () => {
    url = (await scratch.start({ dataDir: await scratch.folder() })).url;
    client = new Client(url, { token: null });
  });
  afterAll(() => scratch.clear());

  test('writes', async () => {
    const tasks = client.namespace<Task>('agent://writes');
    const first = await tasks.put(
      { id: 'a', type: 'task', body: { n: 1, done: false }, tags: { kind: 'x' } },
      { ifNoneMatch: '*' },
    );
    const refused = tasks.put({ id: 'a' }, { ifNoneMatch: '*' });
    await expect(refused).rejects.toMatchObject({ status: 412, currentCommitSeq: first.commit_seq });
    const merged = await tasks.patch(
      'a',
      { body: { done: null, deep: { word: 'x' } }, tags: { kind: 'y' } },
      { ifMatch: first.commit_seq },
    );
    expect(merged).toMatchObject({ body: { n: 1, deep: { word: 'x' } }, tags: { kind: 'y' }, type: 'task' });
    const stepped = await tasks.patch('a', [
      { op: 'test', path: '/body/n', value: 1 },
      { op: 'remove', path: '/body/deep' },
    ]);
    expect(stepped).toMatchObject({ body: { n: 1 }, created_seq: first.commit_seq });
    const late = tasks.patch('a', { body: null }, { ifMatch: first.commit_seq });
    await expect(late).rejects.toThrow(PreconditionFailedError);
    await expect(tasks.patch('none', { body: 1 })).rejects.toThrow(NotFoundError);

    const once = await tasks.put({ body: { n: 5 } }, { idempotencyKey: 'one-write' });
    expect((await tasks.put({ body: { n: 5 } }, { idempotencyKey: 'one-write' })).id).toBe(once.id);
    const reused = tasks.put({ body: { n: 6 } }, { idempotencyKey: 'one-write' });
    await expect(reused).rejects.toThrow(IdempotencyKeyReusedError);
    const gone = await tasks.delete('a', { ifMatch: stepped.commit_seq });
    expect(gone.commit_seq).toBeGreaterThan(once.commit_seq);
    await expect(tasks.get('a')).rejects.toThrow(NotFoundError);
    await expect(tasks.delete('a')).rejects.toThrow(NotFoundError);
  });

  test('the past', async () => {
    const tasks = client.namespace<number>('agent://past');
    const first = await tasks.put({ id: 'a', body: 1 });
    let second = await tasks.put({ id: 'a', body: 2 });
    // Times are milliseconds: the two must differ to be asked for.
    while (second.ts === first.ts) second = await tasks.put({ id: 'a', body: 2 });
    const gone = await tasks.delete('a');
    const third = await tasks.put({ id: 'a', body: 3 });

    expect((await tasks.at(first.commit_seq, 'a')).body).toBe(1);
    expect((await tasks.get('a', { atSeq: second.commit_seq })).commit_seq).toBe(second.commit_seq);
    expect((await tasks.at(first.ts, 'a')).body).toBe(1);
    expect((await tasks.get('a', { at: new Date(second.ts) })).body).toBe(2);
    await expect(tasks.at(gone.commit_seq, 'a')).rejects.toThrow(NotFoundError);

    const versions = await tasks.history('a', { pageSize: 2 }).all();
    const positions = versions.map(({ commit_seq }) => commit_seq);
    expect(positions).toEqual([...positions].sort((left, right) => right - left));
    expect(versions.slice(0, 3).map((one) => (one.deleted ? 'deleted' : one.body))).toEqual([
      3,
      'deleted',
      2,
    ]);
    expect([positions[0], positions.at(-1)]).toEqual([third.commit_seq, first.commit_seq]);
    expect(await tasks.history('a', { limit: 2 }).all()).toHaveLength(2);
  });

  const queries: [Query, string][] = [
    [{}, 'abcd'],
    [{ tags: { kind: 'even' } }, 'bd'],
    [{ type: 'task', prefix: 'a' }, 'a'],
    [{ where: { '$.n': 2 } }, 'b'],
    [{ where: { '$.n': { gt: 1, lte: 3 } } }, 'bc'],
    [{ where: { '$.n': { ne: 2 }, '$.deep.word': 'x' } }, 'ac'],
    [{ where: { '$.n': { in: [1, 4, 9] } } }, 'ad'],
    [{ where: { '$.deep': { exists: false } } }, 'd'],
    [{ where: { '$.n': { gte: 3 } }, tags: { kind: 'odd' } }, 'c'],
    [{ order: '-commit_seq' }, 'dcba'],
  ];
  test('queries', async () => {
    const tasks = client.namespace<Task>('agent://queries');
    for (const [at, id] of [...'abcd'].entries()) {
      const n = at + 1;
      const body = id === 'd' ? { n } : { n, deep: { word: 'x' } };
      await tasks.put({ id, type: 'task', body, tags: { kind: n % 2 ? 'odd' : 'even' } });
    }
    for (const [query, wanted] of queries) {
      const found = await tasks.query(query, { pageSize: 3 }).all();
      expect([query, found.map(({ id }) => id).join('')]).toEqual([query, wanted]);
    }
    const [narrow] = await tasks.query({ fields: ['n'], prefix: 'a' }).all();
    expect(narrow?.body).toEqual({ n: 1 });
    const some = tasks.query({ where: { '$.n': { gt: 1 } } }, { limit: 2, pageSize: 1 });
    expect((await some.all()).map(({ id }) => id)).toEqual(['b', 'c']);
    expect((await tasks.list({ prefix: 'b' }).all()).map(({ id }) => id)).toEqual(['b']);
    expect((await tasks.query({ order: '-commit_seq' }).first())?.id).toBe('d');
    const wrong = tasks.query({ where: { n: 1 } }).all();
    await expect(wrong).rejects.toThrow(InvalidRequestError);
    await expect(wrong).rejects.toMatchObject({ problem: { errors: [expect.anything()] } });
  });

  test('batches', async () => {
    const tasks = client.namespace<Task>('agent://batches');
    const first = await tasks.put({ id: 'a', body: { n: 1 } });
    const done = await tasks.batch([
      { op: 'check', id: 'none', if_none_match: '*' },
      { op: 'put', id: 'b', body: { n: 2 }, if_none_match: '*' },
      {
        op: 'patch',
        id: 'a',
        if_match: first.commit_seq,
        patch: [{ op: 'replace', path: '/body/n', value: 3 }],
      },
    ]);
    expect(done.results).toHaveLength(3);
    const stored = await tasks.list().all();
    expect(stored.map(({ id, commit_seq, body }) => [id, commit_seq, body.n])).toEqual([
      ['a', done.commit_seq, 3],
      ['b', done.commit_seq, 2],
    ]);
    const none = tasks.batch([
      { op: 'delete', id: 'b' },
      { op: 'check', id: 'a', if_match: first.commit_seq },
    ]);
    await expect(none).rejects.toThrow(PreconditionFailedError);
    expect((await tasks.get('b')).commit_seq).toBe(done.commit_seq);
    const seen: [string, number][] = [];
    for await (const event of tasks.watch({ after: first.commit_seq, bookmarks: true })) {
      if (event.type !== 'BOOKMARK') seen.push([event.id, event.commit_seq]);
      else if (event.commit_seq >= done.commit_seq) break;
    }
    expect(seen).toEqual([
      ['b', done.commit_seq],
      ['a', done.commit_seq],
    ]);
  });

  test('leases', async () => {
    const tasks = client.namespace<number>('agent://leases');
    const fence = await tasks.withLease('report', { ttlSeconds: 30, owner: 'w' }, async (lease, view) => {
      const holder = await tasks.leaseHolder('report');
      expect(holder).toMatchObject({ owner: 'w', token: lease.token });
      const held = tasks.lease('report', { owner: 'x' });
      await expect(held).rejects.toThrow(LeaseHeldError);
      await expect(held).rejects.toMatchObject({ owner: 'w' });
      expect((await tasks.put({ id: 'a', body: 1 }, { lease })).body).toBe(1);
      expect((await view.patch('a', { body: 2 })).body).toBe(2);
      return holder;
    });
    await expect(tasks.leaseHolder('report')).rejects.toThrow(NotFoundError);
    await using next = await tasks.lease('report', { owner: 'x' });
    expect(next.token).toBeGreaterThan(fence.token);
    await expect(tasks.put({ id: 'a', body: 3 }, { lease: fence })).rejects.toThrow(FenceStaleError);
    expect((await tasks.fencedBy(next).delete('a')).commit_seq).toBeGreaterThan(0);
  });

  test('a session, a watch and a mirror', async () => {
    const ns = 'agent://mirrors';
    const session = client.session();
    const written = [
      await session.put(ns, { id: 'a', body: 0, tags: { id: 'a' } }),
      await session.put(ns, { id: 'b', body: 1, tags: { id: 'b' } }),
    ];
    for (const { id, commit_seq } of written) expect((await session.get(ns, id)).commit_seq).toBe(commit_seq);
    expect(session.position(ns)).toBe(written[1]?.commit_seq);
    await using mirror = client.mirror<number>(ns);
    await mirror.ready;
    expect([...mirror.entries()].map(([id, { body }]) => [id, body])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
    const events = client.watch<number>(ns, { initial: true, tags: { id: 'b' } });
    expect((await events.next()).value).toMatchObject({ type: 'PUT', id: 'b' });
    const told = new Promise<ChangeEvent<number>>((resolve) => void mirror.subscribe(resolve));
    await client.delete(ns, 'a');
    const gone = await client.delete(ns, 'b');
    const deletion = { type: 'DELETE', id: 'b', reason: 'delete', commit_seq: gone.commit_seq };
    expect((await events.next()).value).toMatchObject(deletion);
    await events.return();
    expect(await told).toMatchObject({ type: 'DELETE', id: 'a' });
    const later = client.watch(ns, { after: gone.commit_seq - 1 });
    expect((await later.next()).value).toMatchObject(deletion);
    await later.return();
  });
});
