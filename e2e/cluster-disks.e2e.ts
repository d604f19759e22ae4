import { cp, readdir } from 'node:fs/promises';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { flipByteInLog, loseLogTail, tearLogTail } from './launcher/disk-faults';
import { memberOn, membership } from './launcher/membership';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';
import { Scratch } from './launcher/scratch';
import { Client } from './launcher/client';
import { until } from './launcher/until';

const NS = 'agent://disks';

/**
 * The goal: a node whose disk lied, tore or was emptied comes back whole, and never votes for what it has forgotten.
 * The method: damage the folder of a node that is down, start it again under load, and check what clients were told.
 */
describe('a node of a cluster', () => {
  test('cuts a torn tail; with a flipped bit or an empty disk it comes back as a new member', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, nodes: () => cluster.up });
      const watcher = new RecordedWatcher(cluster, NS, () => cluster.up);
      await clients.writes(300);
      const [torn, flipped] = await cluster.followers();
      if (torn === undefined || flipped === undefined) throw new Error('two followers expected');

      await torn.kill();
      await tearLogTail(torn.dataDir);
      const before = await memberOn(torn);
      await torn.start();
      expect(await memberOn(torn)).toBe(before);
      await clients.writes(100);

      const flippedBefore = await memberOn(flipped);
      await flipped.kill();
      await flipByteInLog(flipped.dataDir);
      await comesBackAsNewMember(cluster, flipped, flippedBefore);
      expect(flipped.output).toContain('the data of this node is damaged and was moved aside');
      expect(flipped.output).toContain('agentstate wal verify --data-dir');
      const folders = await readdir(flipped.dataDir);
      expect(folders.filter((name) => name.startsWith('quarantine-'))).toHaveLength(1);
      expect(folders).not.toContain('rejoin.json');
      await clients.writes(100);

      const leader = await cluster.leader();
      const leaderBefore = await memberOn(leader);
      await leader.kill();
      await leader.emptyDisk();
      await comesBackAsNewMember(cluster, leader, leaderBefore);
      await clients.writes(100);

      // The node that came back first can now be the one that a quorum needs.
      await torn.kill();
      await clients.writes(100);
      await torn.start();
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, [watcher])).toEqual([]);
      console.log(clients.summary);
    });
  });
});

describe('a node of a cluster that forgot what it had acknowledged', () => {
  test('comes back as a new member at once when its log ends before its state', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, nodes: () => cluster.up });
      await clients.writes(100);
      await cluster.converged();
      const [node] = await cluster.followers();
      if (node === undefined) throw new Error('a follower expected');
      const before = await memberOn(node);
      await node.kill();
      await loseLogTail(node.dataDir, 2_000);
      await comesBackAsNewMember(cluster, node, before);
      expect(node.output).toContain('was moved aside');
      expect(await clients.check()).toEqual([]);
    });
  });

  test('ends when its leader counts on more, and its next start comes back as a new member', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, nodes: () => cluster.up });
      await clients.writes(50);
      const [node] = await cluster.followers();
      if (node === undefined) throw new Error('a follower expected');
      const before = await memberOn(node);
      await node.terminate();
      const copy = `${node.dataDir}-copy`;
      await cp(node.dataDir, copy, { recursive: true });
      await node.start();
      await clients.writes(50);
      await cluster.converged();
      await node.kill();
      // An older copy of its folder is sound in itself: only the leader can tell.
      await node.emptyDisk();
      await cp(copy, node.dataDir, { recursive: true });
      expect(await node.spawn().exit).toMatchObject({ code: 1 });
      expect(node.output).toContain('a part of it was lost');
      await comesBackAsNewMember(cluster, node, before);
      expect(node.output).toContain('was moved aside');
      expect(await clients.check()).toEqual([]);
    });
  });
});

describe('a node alone', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('refuses to start on a flipped bit, and names what looks at it', async () => {
    const dataDir = await scratch.folder();
    const node = await scratch.start({ dataDir });
    const client = new Client(node.url, NS);
    for (let at = 0; at < 50; at++) await client.put(`key-${at}`, { body: 'x'.repeat(100) });
    await node.kill();
    await flipByteInLog(dataDir);
    await expect(scratch.start({ dataDir })).rejects.toThrow(
      `look at it with: agentstate wal verify --data-dir ${dataDir}`,
    );
    expect((await readdir(dataDir)).filter((name) => name.startsWith('quarantine-'))).toEqual([]);
  });

  test('refuses to start when its log ends before its state', async () => {
    const dataDir = await scratch.folder();
    const node = await scratch.start({ dataDir });
    const client = new Client(node.url, NS);
    for (let at = 0; at < 50; at++) await client.put(`key-${at}`, { body: 'x'.repeat(100) });
    await node.kill();
    await loseLogTail(dataDir, 2_000);
    await expect(scratch.start({ dataDir })).rejects.toThrow('the log has lost what it had acknowledged');
    expect((await readdir(dataDir)).filter((name) => name.startsWith('quarantine-'))).toEqual([]);
  });
});

/** Starts a node whose data is lost, and waits until it holds the data again as another member. */
async function comesBackAsNewMember(cluster: Cluster, node: ClusterNode, before: number): Promise<void> {
  const startedAtMs = performance.now();
  await node.start();
  const after = await memberOn(node);
  expect(after).toBeGreaterThan(before);
  await until(`member ${after} to vote in the place of ${before}`, async () => {
    // The old member has the same name: what counts is that the new one holds the group, and no learner is left.
    const ready = (await (await fetch(`${node.url}/ready`)).json()) as object;
    const { voters, learners } = await membership(await cluster.leader());
    return (
      JSON.stringify(ready).includes('group_1') &&
      voters.includes(node.name) &&
      voters.length === 3 &&
      learners.length === 0
    );
  });
  await cluster.converged();
  console.log(
    `${node.name} is member ${after} in the place of ${before}, and votes, ` +
      `after ${(performance.now() - startedAtMs).toFixed(0)} ms`,
  );
}
