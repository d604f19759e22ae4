import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';

const NS = 'agent://partitions';

interface Partition {
  readonly name: string;
  /** Breaks links of a cluster with this leader and these followers. */
  readonly cut: (cluster: Cluster, leader: ClusterNode, followers: readonly ClusterNode[]) => void;
}

const PARTITIONS: readonly Partition[] = [
  {
    name: 'the leader cut off from both others',
    cut: (cluster, leader) => cluster.isolate(leader),
  },
  {
    name: 'the leader cut off from both others by resets',
    cut: (cluster, leader) => cluster.isolate(leader, { reset: true }),
  },
  {
    name: 'the leader hears nobody, though all hear it',
    cut: (cluster, leader, followers) => followers.forEach((follower) => cluster.cut(follower, leader)),
  },
  {
    name: 'the leader hears all, though nobody hears it',
    cut: (cluster, leader, followers) => followers.forEach((follower) => cluster.cut(leader, follower)),
  },
  {
    name: 'the leader and one follower cut off from each other, the other one between them',
    cut: (cluster, leader, [follower]) => follower && cluster.cutBoth(leader, follower),
  },
  {
    name: 'a follower that nobody reaches, though it reaches all',
    cut: (cluster, leader, [follower, other]) => {
      if (follower === undefined || other === undefined) throw new Error('two followers expected');
      cluster.cut(leader, follower);
      cluster.cut(other, follower);
    },
  },
];

/**
 * The goal: whatever links break, the cluster answers rightly, and on its majority's side goes on. The method: break
 * them one way and both ways under load that reaches every node, heal them, and check what the clients were told.
 */
describe('a cluster whose links break', () => {
  test('goes on with a majority, and answers wrongly nowhere', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, clients: 10, agents: 4, keys: 24 });
      const watchers = [1, 2, 3].map(() => new RecordedWatcher(cluster, NS));
      await clients.writes(200);
      for (const { name, cut } of PARTITIONS) {
        const leader = await cluster.leader();
        const cutAtMs = performance.now();
        cut(cluster, leader, cluster.others(leader));
        await clients.writes(300);
        const pauseMs = clients.longestPauseMs(cutAtMs);
        const healedAtMs = performance.now();
        cluster.heal();
        await cluster.ready();
        await cluster.converged();
        const healMs = performance.now() - healedAtMs;
        console.log(`${name}: no write for ${pauseMs.toFixed(0)} ms; whole ${healMs.toFixed(0)} ms after`);
      }
      cluster.slowDown(30);
      await clients.writes(100);
      cluster.heal();
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
      console.log(`${clients.summary}; ${watchers.map(({ resumes }) => resumes).join()} resumptions`);
    });
  });
});
