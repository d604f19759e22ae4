import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { GroupId } from '#contracts';
import { RocksStateStores } from '#storage';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { takeSnapshot } from './launcher/snapshots';
import { until } from './launcher/until';

const NS = 'agent://demo';
const GROUP = 1 as GroupId;
const ALL_ROWS = { gte: Uint8Array.of(0x00), lt: Uint8Array.of(0xfe) };
const NEEDLE = Buffer.from('"kept whole"');

/** Changes the text of an object in the state of a stopped node, as no checksum would notice. */
async function damageState(dataDir: string): Promise<void> {
  const store = await new RocksStateStores({ folder: path.join(dataDir, 'groups') }).open(GROUP);
  try {
    for (const [key, value] of store.scan(ALL_ROWS)) {
      const at = Buffer.from(value).indexOf(NEEDLE);
      if (at < 0) continue;
      const changed = Uint8Array.from(value);
      changed[at + 1] = (changed[at + 1] as number) ^ 0x20;
      store.write({ puts: [[key, changed]], deletes: [] });
      await store.flush();
      return;
    }
    throw new Error('no row has the text');
  } finally {
    await store.close();
  }
}

interface Alarm {
  readonly metric: number;
  readonly ready: string;
}

async function alarmOf({ url }: ClusterNode): Promise<Alarm> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const ready = await (await fetch(`${url}/ready`)).text();
  return { metric: Number(/^snapshot_mismatch_total (\d+)$/m.exec(metrics)?.[1]), ready };
}

/** The goal: replicas that differ are an alarm on every node. The method: one whose stored state was changed. */
test('a damaged replica is an alarm: metric, log line and /ready, until it is whole again', async () => {
  await Cluster.with({ nodes: 3 }, async (cluster) => {
    await cluster.ready();
    const [one, two, three] = [...cluster.nodes] as [ClusterNode, ClusterNode, ClusterNode];
    const client = new Client(one.url, NS);
    for (let n = 0; n < 5; n++) expect((await client.put(`o${n}`, { body: 'kept whole' })).status).toBe(200);
    await takeSnapshot(one.url);
    await three.terminate();
    await damageState(three.dataDir);
    await three.start();

    const { snapshot_id: id } = await takeSnapshot(two.url);
    for (const node of cluster.nodes) {
      // The damaged one differs from both of the others, and each of them from it alone.
      const others = node === three ? [one, two] : [three];
      const alarm = await until(`the alarm of ${node.name}`, async () => {
        const now = await alarmOf(node);
        return now.metric >= others.length ? now : undefined;
      });
      expect(alarm.metric).toBe(others.length);
      for (const other of others) {
        const what = `the state of group 1 on ${other.name} is not the one here, as of the snapshot ${id}`;
        expect(alarm.ready).toContain(what);
        const line = node.output.split('\n').find((one) => one.includes(what));
        expect(JSON.parse(line ?? '{}')).toMatchObject({ alarm: 'states_differ', level: 'error' });
      }
    }

    await three.kill();
    await three.emptyDisk();
    await three.start();
    for (const node of [one, two]) {
      await until(`no alarm of ${node.name} any more`, async () => {
        await takeSnapshot(one.url);
        return !(await alarmOf(node)).ready.includes('is not the one here');
      });
    }
  });
}, 240_000);

/** Flips bits in the middle of every table file of a stopped node's state; answers how many there are. */
async function damageFiles(dataDir: string): Promise<number> {
  const folder = path.join(dataDir, 'groups', String(GROUP));
  const generation = (await readdir(folder)).find((name) => /^\d+$/.test(name)) ?? '';
  const tables = (await readdir(path.join(folder, generation))).filter((name) => name.endsWith('.sst'));
  for (const table of tables) {
    const file = path.join(folder, generation, table);
    const content = await readFile(file);
    const middle = Math.floor(content.length / 2);
    content.fill(0x55, middle, middle + 64);
    await writeFile(file, content);
  }
  return tables.length;
}

/** The goal: damage that a read meets is not served around for ever. The method: bits of table files, and reads of all. */
test('a node whose read meets damage sets its data aside and comes back as a new member', async () => {
  await Cluster.with({ nodes: 3 }, async (cluster) => {
    await cluster.ready();
    const [one, , three] = [...cluster.nodes] as [ClusterNode, ClusterNode, ClusterNode];
    const client = new Client(one.url, NS);
    const body = 'x'.repeat(20_000);
    for (let n = 0; n < 100; n++) expect((await client.put(`o${n}`, { body })).status).toBe(200);
    // What a start finds in RocksDB's own log it writes to a table file.
    await three.restart();
    await three.terminate();
    expect(await damageFiles(three.dataDir)).toBeGreaterThan(0);
    // It may come upon the damage by itself before anybody reads.
    const damaged = three.spawn();
    const local = new Client(three.url, NS);
    await until('it to have met the damage', async () => {
      for (let n = 0; n < 100; n++) await local.get(`o${n}`, '?consistency=stale').catch(() => undefined);
      return !damaged.isRunning;
    });
    expect(await damaged.exit).toEqual({ code: 1, signal: null });

    await three.start();
    const aside = (await readdir(three.dataDir)).filter((name) => name.startsWith('quarantine-'));
    expect(aside).toHaveLength(1);
    await until('the new member serves what the old one had', async () => {
      return (await local.get('o50', '?consistency=stale')).status === 200;
    });
  });
}, 240_000);
