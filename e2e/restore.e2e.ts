import { readdirSync } from 'node:fs';
import { agentstate, dumped, type Ran } from './launcher/agentstate';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { Scratch } from './launcher/scratch';
import { admin, listSnapshots, takeSnapshot, type TakenSnapshot } from './launcher/snapshots';
import { until } from './launcher/until';

const NS = 'agent://demo';

const run = (...args: readonly string[]): Promise<Ran> => agentstate(args);

/** The goal: what an operator does on the worst day works as it is written. The method: the real program. */
describe('snapshot, trim, restore', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('the round trip on one node, to the snapshot, to a position, to the end', async () => {
    const dataDir = await scratch.folder();
    const first = await scratch.start({ dataDir });
    const client = new Client(first.url, NS);
    for (let n = 1; n <= 5; n++) await client.put(`o${n}`, { body: n });
    const taken = await takeSnapshot(first.url);
    expect(taken).toMatchObject({ commit_seq: 5, groups: [{ group_id: 0 }, { group_id: 1 }] });
    const trimmed = await admin<{ trimmed_segments: string[]; freed_bytes: number }>(
      first.url,
      'POST',
      `trim-wal?snapshot_id=${taken.snapshot_id}`,
    );
    expect(trimmed.trimmed_segments.length).toBeGreaterThan(0);
    expect(trimmed.freed_bytes).toBeGreaterThan(0);
    await client.put('o1', { body: 'later' });
    await client.remove('o2');
    const last = (await client.put('o6', { body: 6 })).body.commit_seq;
    const args = ['restore', '--data-dir', dataDir, '--snapshot-id', taken.snapshot_id] as const;
    expect(await run(...args)).toMatchObject({ code: 1, err: expect.stringContaining('in use') as string });
    // Nothing is flushed by a kill: what the log has beyond the state must be there all the same.
    await first.kill();

    expect(await dumped(dataDir)).toEqual({ o1: 'later', o3: 3, o4: 4, o5: 5, o6: 6 });
    expect((await run(...args, '--to', 'latest')).code).toBe(0);
    expect(await dumped(dataDir)).toEqual({ o1: 'later', o3: 3, o4: 4, o5: 5, o6: 6 });
    const kept = readdirSync(dataDir).filter((name) => name.startsWith('before-restore-'));
    expect(kept).toHaveLength(1);
    // Of another log now: only the snapshot itself can be had.
    expect(await run(...args, '--to-seq', '6')).toMatchObject({
      code: 1,
      err: expect.stringContaining('another cluster') as string,
    });
    expect((await run(...args)).code).toBe(0);
    expect(await dumped(dataDir)).toEqual({ o1: 1, o2: 2, o3: 3, o4: 4, o5: 5 });

    const second = await scratch.start({ dataDir });
    const after = new Client(second.url, NS);
    const next = await after.put('o7', { body: 7 });
    expect(next.body.commit_seq).toBeGreaterThan(last + 1);
    const resumed = await fetch(after.watchUrl(), { headers: { 'last-event-id': String(last) } });
    expect([resumed.status, await resumed.json()]).toEqual([
      410,
      expect.objectContaining({ code: 'compacted', first_available: next.body.commit_seq }),
    ]);
    expect(await second.stop()).toEqual({ code: 0, signal: null });
    expect(await run('wal', 'verify', '--data-dir', dataDir)).toMatchObject({ code: 0 });
  });

  test('the round trip on three nodes: equal digests, one is restored, the others join it empty', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const [one, two, three] = ['node-1', 'node-2', 'node-3'].map((name) => cluster.node(name)) as [
        ClusterNode,
        ClusterNode,
        ClusterNode,
      ];
      await cluster.ready();
      const client = new Client(two.url, NS);
      for (let n = 1; n <= 5; n++) expect((await client.put(`o${n}`, { body: n })).status).toBe(200);
      const taken = await takeSnapshot(three.url);
      for (const node of cluster.nodes) {
        const held = await until('the snapshot on every node', async () => {
          return (await listSnapshots(node.url)).find(
            (snapshot) => snapshot.snapshot_id === taken.snapshot_id,
          );
        });
        const facts = ({ groups }: TakenSnapshot): unknown =>
          groups.map(({ index, digest }) => [index, digest]);
        expect(facts(held)).toEqual(facts(taken));
        await admin(node.url, 'POST', `trim-wal?snapshot_id=${taken.snapshot_id}`);
      }
      const last = (await client.put('o1', { body: 'later' })).body.commit_seq;
      for (const node of cluster.nodes) await node.terminate();

      const restored = await run('restore', '--data-dir', one.dataDir, '--snapshot-id', taken.snapshot_id);
      expect(restored).toMatchObject({ code: 0, err: '' });
      expect(await dumped(one.dataDir)).toEqual({ o1: 1, o2: 2, o3: 3, o4: 4, o5: 5 });
      for (const node of [two, three]) await node.emptyDisk();
      await Promise.all(cluster.nodes.map((node) => node.start()));
      const again = new Client(two.url, NS);
      const next = await until('a write through a node that joined', async () => {
        const answer = await again.put('o6', { body: 6 });
        return answer.status === 200 ? answer : undefined;
      });
      expect(next.body.commit_seq).toBeGreaterThan(last);
      for (const node of cluster.nodes) {
        const { body } = await new Client(node.url, NS).list();
        expect(body.map((object) => object.body)).toEqual([1, 2, 3, 4, 5, 6]);
      }
    });
  }, 240_000);
});
