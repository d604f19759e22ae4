import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Client as Sdk, ResyncRequired, type WatchEvent } from '../libs/client/src/index';
import { agentstate, type Ran } from './launcher/agentstate';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { flipBit } from './launcher/data-folder';
import { frames, type WatchEvent as SentEvent } from './launcher/event-stream';
import { freePorts } from './launcher/free-ports';
import { Scratch } from './launcher/scratch';
import { membership } from './launcher/membership';
import { place } from './launcher/namespace-admin';
import { takeSnapshot } from './launcher/snapshots';
import { until } from './launcher/until';

const NS = 'agent://demo';

const restored = async (dataDir: string, snapshotId: string, ...to: readonly string[]): Promise<void> => {
  const ran: Ran = await agentstate([
    ...['restore', '--data-dir', dataDir, '--snapshot-id', snapshotId, '--yes'],
    ...to,
  ]);
  expect(ran).toMatchObject({ code: 0, err: '' });
};

/** Changes of a namespace after it has moved. */
const MOVED = 30;

interface Refusal {
  readonly code: string;
  readonly first_available: number;
}

/** What a watch is answered that begins `at` a position, or resumes after one: a refusal, or its first change. */
async function begun(
  client: Client,
  how: { readonly at: number } | { readonly after: number },
): Promise<Refusal | SentEvent | undefined> {
  const ending = new AbortController();
  try {
    const response = await fetch(client.watchUrl('at' in how ? `?from_commit=${how.at}` : ''), {
      ...('after' in how && { headers: { 'last-event-id': `${how.after}` } }),
      signal: ending.signal,
    });
    if (response.status === 410) return (await response.json()) as Refusal;
    if (response.status !== 200) throw new Error(`a watch answered ${response.status}`);
    for await (const { event } of frames(response)) if (event.type !== 'BOOKMARK') return event;
    return undefined;
  } finally {
    ending.abort();
  }
}

/** Every position up to `last` is of a history that is gone; what begins after them is one change, `next`. */
async function expectAllGone(client: Client, last: number, next: { commit_seq: number }): Promise<void> {
  const refused = await begun(client, { after: last });
  expect(refused).toMatchObject({ code: 'compacted' });
  const first = (refused as Refusal).first_available;
  expect(first).toBeGreaterThan(last + 1);
  expect(first).toBeLessThanOrEqual(next.commit_seq);
  const gone = { code: 'compacted', first_available: first };
  for (let position = 0; position <= last; position++) {
    expect(await begun(client, { after: position })).toMatchObject(gone);
    expect(await begun(client, { at: position })).toMatchObject(gone);
  }
  expect(await begun(client, { at: first - 1 })).toMatchObject(gone);
  expect(await begun(client, { after: first - 2 })).toMatchObject(gone);
  const change = { type: 'PUT', commit_seq: next.commit_seq };
  expect(await begun(client, { at: first })).toMatchObject(change);
  expect(await begun(client, { after: first - 1 })).toMatchObject(change);
  // Nobody has been given these yet, and who says that he was must have seen another history.
  expect(await begun(client, { after: next.commit_seq + 1 })).toMatchObject(gone);
  expect(await begun(client, { at: next.commit_seq + 2 })).toMatchObject(gone);
}

/**
 * The goal: whoever watched what a restore took back is told so, and neither misses nor repeats anything in silence. The
 * method: the real program on one port; watches that stand when the node is killed come again to the restored one.
 */
describe('a watch through a restore of one node', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test.each([
    ['exactly the snapshot', [], { o1: 1, o2: 2, o3: 3 }],
    ['a position in the middle', ['--to-seq', '4'], { o1: 'later', o2: 2, o3: 3 }],
    ['the end', ['--to', 'latest'], { o1: 'later', o3: 3, o4: 4 }],
  ] as const)('to %s', async (_, to, state) => {
    const dataDir = await scratch.folder();
    const environment = { HTTP_PORT: `${(await freePorts(1))[0]}` };
    const before = await scratch.start({ dataDir, environment });
    const client = new Client(before.url, NS);
    for (const n of [1, 2, 3]) await client.put(`o${n}`, { body: n });
    const { snapshot_id: snapshotId } = await takeSnapshot(before.url);
    const sdk = new Sdk({ endpoints: before.url, token: null }).namespace(NS);
    const stop = new AbortController();
    const events: WatchEvent[] = [];
    const collect = async (): Promise<void> => {
      for await (const event of sdk.watch({ fromCommit: 1, resync: 'continue', signal: stop.signal }))
        events.push(event);
    };
    let seen = 0;
    const throwing = async (): Promise<void> => {
      for await (const { commit_seq } of sdk.watch({ fromCommit: 1, signal: stop.signal })) seen = commit_seq;
    };
    const collecting = collect();
    const thrown = throwing().catch((error: unknown) => error);
    const plain = scratch.watch(client, '?from_commit=1');
    await client.put('o1', { body: 'later' });
    await client.remove('o2');
    const last = (await client.put('o4', { body: 4 })).body.commit_seq;
    await until('all watches to have seen everything', () => {
      return events.length === 6 && seen === last && plain.changes.length === 6;
    });
    await before.kill();

    await restored(dataDir, snapshotId, ...to);
    const after = await scratch.start({ dataDir, environment });
    await until('the plain watch to be refused', () => plain.refused !== undefined);
    expect(plain.refused).toMatch(/^410 .*"code":"compacted"/);
    expect(plain.changes.map(({ commit_seq }) => commit_seq)).toEqual([1, 2, 3, 4, 5, 6]);
    const error = await thrown;
    expect(error).toBeInstanceOf(ResyncRequired);
    expect(error).toMatchObject({ reason: 'compacted', position: last });

    const states = Object.entries<unknown>(state);
    await until('the state again', () => events.length === 6 + 1 + states.length);
    const next = (await new Client(after.url, NS).put('o5', { body: 5 })).body;
    await until('what follows', () => events.length === 6 + 1 + states.length + 1);
    stop.abort();
    await collecting;
    const [resync, ...again] = events.slice(6);
    const { firstAvailable } = error as ResyncRequired;
    expect(resync).toMatchObject({
      type: 'RESYNC',
      reason: 'compacted',
      position: last,
      first_available: firstAvailable,
    });
    expect(again.map(({ type, id, body }) => [type, id, body])).toEqual([
      ...states.map(([id, body]) => ['PUT', id, body]),
      ['PUT', 'o5', 5],
    ]);
    expect(again.at(-1)).toMatchObject({ commit_seq: next.commit_seq });
    await expectAllGone(new Client(after.url, NS), last, next);
  });

  test.each([
    ['exactly the snapshot', [], 3],
    ['the end', ['--to', 'latest'], 3 + MOVED],
  ] as const)('of a namespace that has moved since, to %s', async (_, to, objects) => {
    const dataDir = await scratch.folder();
    const before = await scratch.start({ dataDir });
    const client = new Client(before.url, NS);
    for (const n of [1, 2, 3]) await client.put(`o${n}`, {});
    const { snapshot_id: snapshotId } = await takeSnapshot(before.url);
    const node = { name: 'the node', url: before.url };
    // The snapshot holds it where it was.
    await place(node, NS, { regions: ['local'] }, ['active', 'erasing']);
    let last = 0;
    for (let n = 0; n < MOVED; n++) last = (await client.put(`later ${n}`, {})).body.commit_seq;
    await before.kill();

    await restored(dataDir, snapshotId, ...to);
    const after = await scratch.start({ dataDir });
    const again = new Client(after.url, NS);
    expect((await again.list()).body).toHaveLength(objects);
    const next = (await again.put('next', {})).body.commit_seq;
    expect(next).toBeGreaterThan(last);
    // More than its group had given out when the namespace was elsewhere.
    for (let n = 0; n < 2 * MOVED; n++) await again.put('more', {});
    for (let position = 1; position <= last; position++)
      expect(await begun(again, { after: position })).toMatchObject({ code: 'compacted' });
  });

  test('whose log is damaged, and whose state is behind it', async () => {
    const dataDir = await scratch.folder();
    const [groups, kept] = [path.join(dataDir, 'groups'), path.join(await scratch.folder(), 'groups')];
    const first = await scratch.start({ dataDir });
    await new Client(first.url, NS).put('before', {});
    const { snapshot_id: snapshotId } = await takeSnapshot(first.url);
    await first.stop();
    // What a power cut leaves of the state may be as old as this; the log was synced.
    await cp(groups, kept, { recursive: true });
    const second = await scratch.start({ dataDir });
    let last = 0;
    for (let n = 0; n < MOVED; n++)
      last = (await new Client(second.url, NS).put(`lost ${n}`, {})).body.commit_seq;
    await second.kill();
    await rm(groups, { recursive: true });
    await cp(kept, groups, { recursive: true });
    flipBit(path.join(dataDir, 'wal', '0000000000000001.wal'), 400, 3);

    await restored(dataDir, snapshotId, '--ignore-damaged-log');
    const client = new Client((await scratch.start({ dataDir })).url, NS);
    for (let n = 0; n < 2 * MOVED; n++) await client.put('next', {});
    for (let position = 1; position <= last; position++)
      expect(await begun(client, { after: position })).toMatchObject({ code: 'compacted' });
  });
});

/** Changes that are committed while the node that will be restored is away. */
const UNHEARD = 30;

/**
 * The goal: positions that others gave out, and of which the restored node never heard, are not given out again; also
 * when the cluster is one that a restore began. The method: the others write on while that node is down.
 */
test('a watch through two restores of a cluster', async () => {
  await Cluster.with({ nodes: 3 }, async (cluster) => {
    const [one, two, three] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const client = new Client(two.url, NS);
    const put = (id: string): Promise<number> =>
      until(`a write of ${id}`, async () => {
        const { status, body } = await client.put(id, {});
        return status === 200 && body.commit_seq;
      });
    await cluster.ready();
    let newest = 0;
    for (const round of ['first', 'second']) {
      for (const node of cluster.nodes) {
        for (const group of [0, 1]) {
          await until(`all to vote, as ${node.name} has it`, async () => {
            return (await membership(node, group)).voters.length === 3;
          });
        }
      }
      // What is written after that no longer needs the votes of those before.
      newest = await put(`${round} before`);
      const { snapshot_id: snapshotId } = await takeSnapshot(one.url);
      await cluster.converged();
      await one.kill();
      for (let n = 0; n < UNHEARD; n++) newest = await put(`${round} ${n}`);
      for (const node of [two, three]) {
        await node.terminate();
        await node.emptyDisk();
      }
      await restored(one.dataDir, snapshotId);
      await Promise.all(cluster.nodes.map((node) => node.start()));
      await cluster.ready();
      const next = await put(`${round} after`);
      expect(next).toBeGreaterThan(newest);
      for (const node of cluster.nodes) {
        for (const after of [newest, newest - UNHEARD]) {
          const refused = await begun(new Client(node.url, NS), { after });
          expect(refused).toMatchObject({ code: 'compacted' });
          expect((refused as Refusal).first_available).toBeGreaterThan(newest);
        }
        const first = await begun(new Client(node.url, NS), { after: next - 1 });
        expect(first).toMatchObject({ type: 'PUT', commit_seq: next, id: `${round} after` });
      }
    }
  });
}, 240_000);
