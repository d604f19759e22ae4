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
