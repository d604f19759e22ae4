import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client } from '../launcher/client';
import { Cluster } from '../launcher/cluster';
import { SmallDisk } from '../launcher/disk-faults';
import { RecordedClients } from '../launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from '../launcher/recorded-watcher';
import { until } from '../launcher/until';

const NS = 'agent://full-disk';
const SMALL = 'node-1';
const DISK_MIB = 96;
/** Small segments keep the low-water mark (four of them) small too. */
const SEGMENT_BYTES = 1_048_576;

/** Together more than the small disk's low-water mark. */
const LARGE_WRITES = 100;
const LARGE_BODY_BYTES = 100_000;

/**
 * The goal: a full disk is one node's trouble. The method: give one node a small file system, make it the leader, fill
 * it up to the low-water mark and then wholly, and check what the clients were told.
 */
describe('a cluster in which one disk is full', () => {
  let folder: string;
  let disk: SmallDisk | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-small-disk-'));
    disk = await SmallDisk.mount(folder, DISK_MIB);
  });
  afterAll(async () => {
    await disk?.unmount();
    await rm(folder, { recursive: true, force: true });
  });

  test('moves leadership away from it, and goes on when it is wholly full', async () => {
    if (disk === undefined) {
      console.log('left out: this user may not mount a small file system');
      return;
    }
    const small = disk;
    const options = {
      nodes: 3,
      environment: { WAL_SEGMENT_BYTES: `${SEGMENT_BYTES}` },
      dataDir: (name: string) => (name === SMALL ? folder : undefined),
    };
    await Cluster.with(options, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS });
      const watcher = new RecordedWatcher(cluster, NS);
      await clients.writes(100);
      const node = cluster.node(SMALL);
      const transfer = await fetch(`${node.url}/admin/cluster/transfer-leader`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ group_id: 1, node_id: SMALL }),
      });
      expect(transfer.status).toBe(200);
      await until(`${SMALL} to lead`, async () => (await cluster.leader()) === node);

      const filledAtMs = performance.now();
      await small.fill(3);
      const next = await until('leadership to move away', async () => {
        const leader = await cluster.leader();
        return leader !== node && leader;
      });
      console.log(
        `disk of ${SMALL} nearly full: ${next.name} leads after ${(performance.now() - filledAtMs).toFixed(0)} ms`,
      );
      await clients.writes(200);
      console.log(`no write for ${clients.longestPauseMs(filledAtMs).toFixed(0)} ms`);
      expect((await new Client(node.url, NS).put('through-the-full-one', {})).status).toBe(200);

      await small.fill(0);
      const large = new Client(next.url, NS);
      for (let at = 0; at < LARGE_WRITES; at++) {
        const { status } = await large.put(`large-${at % 8}`, { body: 'x'.repeat(LARGE_BODY_BYTES) });
        expect(status).toBe(200);
      }
      await clients.writes(200);
      console.log(`disk of ${SMALL} wholly full: the node is ${node.isUp ? 'up' : 'down'}`);

      await small.free();
      if (!node.isUp) await node.start();
      await cluster.ready();
      await cluster.converged();
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, [watcher])).toEqual([]);
      console.log(clients.summary);
    });
  });
});
