import { Client, NotFoundError } from '../libs/client/src/index';
import { Cluster } from './launcher/cluster';

const NS = 'agent://sdk';
const WRITES = 120;

/**
 * The goal: a program that uses the SDK does not notice that a node dies. The method: three nodes; while one client
 * writes and another watches, both first at the leader, the leader is killed.
 */
test('writes and a watch go on when the leader is killed', async () => {
  await Cluster.with({ nodes: 3 }, async (cluster) => {
    await cluster.ready();
    const leader = await cluster.leader();
    const urls = [leader, ...cluster.others(leader)].map(({ url }) => url);
    const client = new Client({ endpoints: urls, token: null, timeoutMs: 5_000 });
    const tasks = client.namespace<number>(NS);
    const seen: string[] = [];
    const stop = new AbortController();
    cluster.atEnd(() => stop.abort());
    const begun = await tasks.put({ id: 'begin', body: 0 });
    const watching = (async () => {
      for await (const event of tasks.watch({ after: begun.commit_seq, signal: stop.signal })) {
        if (event.type === 'PUT') seen.push(`${event.id}=${event.body}`);
        if (event.id === 'end') return;
      }
    })();

    const wanted: string[] = [];
    let killed: Promise<void> | undefined;
    for (let n = 0; n < WRITES; n++) {
      // Each write stands on the one before: one that happened twice, or not at all, would be refused or be missing.
      await tasks.put({ id: `task-${n}`, body: n }, { ifNoneMatch: '*' });
      wanted.push(`task-${n}=${n}`);
      if (n === WRITES / 3) killed = leader.kill();
    }
    await killed;
    await tasks.put({ id: 'end', body: -1 });
    await watching;
    expect(seen).toEqual([...wanted, 'end=-1']);
    expect((await tasks.list().all()).length).toBe(WRITES + 2);
  });
}, 180_000);

test('everything that the API has works through the SDK', async () => {
  await Cluster.with({ nodes: 1 }, async (cluster) => {
    await cluster.ready();
    const client = new Client(
      cluster.nodes.map(({ url }) => url),
      { token: null },
    ).session();
    const tasks = client.namespace<{ n: number; done?: boolean }>(NS);
    const first = await tasks.put({ id: 'a', body: { n: 1 }, tags: { kind: 'task' } });
    const patched = await tasks.patch('a', { body: { done: true } }, { ifMatch: first.commit_seq });
    expect(patched.body).toEqual({ n: 1, done: true });
    const { commit_seq: seq, results } = await tasks.batch([
      { op: 'check', id: 'x', if_none_match: '*' },
      { op: 'put', id: 'b', body: { n: 2 }, if_none_match: '*' },
      {
        op: 'patch',
        id: 'a',
        if_match: patched.commit_seq,
        patch: [{ op: 'replace', path: '/body/n', value: 3 }],
      },
    ]);
    expect(results).toHaveLength(3);
    expect((await tasks.get('a')).commit_seq).toBe(seq);
    await tasks.withLease('lease', { ttlSeconds: 30, owner: 'w' }, async (lease, view) => {
      await view.put({ id: 'c', body: { n: 4 } });
      expect((await tasks.leaseHolder('lease')).token).toBe(lease.token);
      await expect(tasks.lease('lease', { owner: 'x' })).rejects.toThrow('lease_held');
    });
    await expect(tasks.leaseHolder('lease')).rejects.toThrow(NotFoundError);
    expect((await tasks.query({ tags: { kind: 'task' } }).all()).map(({ id }) => id)).toEqual(['a']);
    await using mirror = tasks.mirror();
    await mirror.ready;
    expect([...mirror.entries()].map(([id, { body }]) => [id, body.n])).toEqual([
      ['a', 3],
      ['b', 2],
      ['c', 4],
    ]);
    await tasks.delete('b');
    await expect(tasks.get('b')).rejects.toThrow(NotFoundError);
    const key = 'one-write';
    const once = await tasks.put({ id: 'd', body: { n: 5 } }, { idempotencyKey: key });
    const again = await tasks.put({ id: 'd', body: { n: 5 } }, { idempotencyKey: key });
    expect(again.commit_seq).toBe(once.commit_seq);
  });
}, 120_000);
