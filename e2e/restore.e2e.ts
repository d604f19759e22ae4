import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { Scratch } from './launcher/scratch';
import { until } from './launcher/until';

const PROGRAM = path.join(__dirname, '../bin/agentstate');
const NS = 'agent://demo';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

async function admin<Answer>(url: string, method: string, request: string): Promise<Answer> {
  const response = await fetch(`${url}/admin/${request}`, { method });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

interface Taken {
  readonly snapshot_id: string;
  readonly commit_seq: number;
  readonly groups: readonly { readonly group_id: number; readonly digest: string; readonly index: number }[];
}

async function dumped(dataDir: string): Promise<Record<string, unknown>> {
  const { code, out } = await run('admin', 'dump', '--data-dir', dataDir);
  expect(code).toBe(0);
  const objects = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; body: unknown });
  return Object.fromEntries(objects.map(({ id, body }) => [id, body]));
}

/** Names, lengths and bytes of everything but the lock, which says nothing of the node. */
function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('lock') && statSync(path.join(folder, name)).isFile())
    .sort()
    .map((name) => `${name} ${readFileSync(path.join(folder, name)).toString('latin1')}`);
}

/** The goal: what an operator does on the worst day works as it is written. The method: the real program. */
describe('snapshot, trim, restore', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('the round trip on one node, to the snapshot, to a position, to the end', async () => {
    const dataDir = await scratch.folder();
    const first = await scratch.start({ dataDir });
    const client = new Client(first.url, NS);
    for (let n = 1; n <= 5; n++) await client.put(`o${n}`, { body: n });
    const taken = await admin<Taken>(first.url, 'POST', 'snapshot');
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

  test('bad input is one line, and the folder stays as it was', async () => {
    const dataDir = await scratch.folder();
    const server = await scratch.start({ dataDir });
    const client = new Client(server.url, NS);
    await client.put('a', { body: 1 });
    const { snapshot_id: id } = await admin<Taken>(server.url, 'POST', 'snapshot');
    await client.put('a', { body: 2 });
    await server.stop();
    const part = path.join(dataDir, 'snapshots', `${id}.group-1`);
    const sound = readFileSync(part);
    const before = contents(dataDir);
    const refused = async (why: string, args: readonly string[] = []): Promise<void> => {
      const now = contents(dataDir);
      const ran = await run('restore', '--data-dir', dataDir, '--snapshot-id', id, ...args);
      expect({ code: ran.code, lines: ran.err.trimEnd().split('\n').length, err: ran.err }).toEqual({
        code: 1,
        lines: 1,
        err: expect.stringContaining(why) as string,
      });
      expect(contents(dataDir)).toEqual(now);
    };
    await refused('before the snapshot', ['--to-time', '2020-01-01T00:00:00Z']);
    await refused('after the end of the log', ['--to-time', '2090-01-01T00:00:00Z']);
    await refused('after the end of the log', ['--to-seq', '9']);
    await refused('no snapshot snap-x', ['--snapshot-id', 'snap-x']);
    for (let at = 0; at < sound.length; at += 97) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      writeFileSync(part, damaged);
      await refused(part);
    }
    writeFileSync(part, sound);
    truncateSync(part, sound.length - 1);
    await refused(part);
    writeFileSync(part, sound);
    expect(contents(dataDir)).toEqual(before);
  }, 240_000);

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
      const taken = await admin<Taken>(three.url, 'POST', 'snapshot');
      for (const node of cluster.nodes) {
        const held = await until('the snapshot on every node', async () => {
          const { snapshots } = await admin<{ snapshots: Taken[] }>(node.url, 'GET', 'snapshots');
          return snapshots.find((snapshot) => snapshot.snapshot_id === taken.snapshot_id);
        });
        const facts = ({ groups }: Taken): unknown => groups.map(({ index, digest }) => [index, digest]);
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
