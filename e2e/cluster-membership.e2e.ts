import { Cluster } from './launcher/cluster';
import { membership } from './launcher/membership';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';
import { until } from './launcher/until';

const NS = 'agent://membership';

/**
 * The goal: nodes come and go under load, and clients notice nothing. The method: a fourth node joins, the leader is
 * removed, and what clients and watchers were told is checked.
 */
describe('a cluster whose members change', () => {
  test('lets a fourth node in, and a removed leader stops by itself and says why', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, nodes: () => cluster.up });
      const watcher = new RecordedWatcher(cluster, NS, () => cluster.up);
      await clients.writes(300);
      const joinedAtMs = performance.now();
      const fourth = await cluster.newcomer('node-4');
      await fourth.start();
      console.log(`node-4 is ready ${(performance.now() - joinedAtMs).toFixed(0)} ms after its start`);
      await clients.writes(100);
      const leader = await cluster.leader();
      expect(await membership(leader)).toMatchObject({ nodes: ['node-1', 'node-2', 'node-3', 'node-4'] });

      const removedAtMs = performance.now();
      const answer = await fetch(`${fourth.url}/admin/cluster/nodes/${leader.name}`, { method: 'DELETE' });
      expect([answer.status, await answer.json()]).toEqual([200, { node_id: leader.name, state: 'leaving' }]);
      await until('the removed leader to stop', () => !leader.isUp);
      expect(await leader.ended()).toEqual({ code: 0, signal: null });
      console.log(
        `${leader.name}, which led, was removed and stopped after ` +
          `${(performance.now() - removedAtMs).toFixed(0)} ms; no write for ` +
          `${clients.longestPauseMs(removedAtMs).toFixed(0)} ms`,
      );
      expect(leader.output).toContain('this node was removed from its cluster and stops');
      await clients.writes(200);
      const voters = cluster
        .others(leader)
        .map(({ name }) => name)
        .sort();
      await until('the fourth node to vote', async () => {
        const now = await membership(fourth);
        return [...now.voters].sort().join() === voters.join() && now.nodes.length === 3;
      });

      // It is no member any more, and stays away when it is started again by mistake.
      const again = leader.spawn();
      await until('the removed node to stop again', () => !again.isRunning, 20_000);
      expect(await again.exit).toEqual({ code: 0, signal: null });
      expect(leader.output).toContain('removed from its cluster');
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, [watcher])).toEqual([]);
      console.log(clients.summary);
    });
  });

  test('a node that was removed while it was away finds out, stops and says why', async () => {
    await Cluster.with({ nodes: 4 }, async (cluster) => {
      await cluster.ready();
      const clients = new RecordedClients(cluster, { ns: NS, nodes: () => cluster.up });
      await clients.writes(100);
      const [away] = await cluster.followers();
      if (away === undefined) throw new Error('a follower expected');
      await away.kill();
      const leader = await cluster.leader();
      const answer = await fetch(`${leader.url}/admin/cluster/nodes/${away.name}`, { method: 'DELETE' });
      expect(answer.status).toBe(200);
      await until('it is no node any more', async () => {
        return !(await membership(leader)).nodes.includes(away.name);
      });

      const again = away.spawn();
      await until('it stops by itself', () => !again.isRunning);
      expect(await again.exit).toEqual({ code: 0, signal: null });
      expect(away.output).toContain('this node was removed from its cluster and stops');
      await clients.writes(100);
      expect(await clients.check()).toEqual([]);
    });
  });
});
