import { Cluster } from './launcher/cluster';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';

const NS = 'agent://leader';

/**
 * The goal: a lost leader costs a short pause and nothing else. The method: take the leader away under load, in every
 * way, and check what the clients and watchers were told.
 */
describe('a cluster that loses its leader', () => {
  test('by SIGKILL, three times: no acknowledged write is lost, and no read is stale', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, agents: 2 });
      const watchers = [1, 2, 3].map(() => new RecordedWatcher(cluster, NS));
      for (let round = 0; round < 3; round++) {
        await clients.writes(300);
        const leader = await cluster.leader();
        const killedAtMs = performance.now();
        await leader.kill();
        const next = await cluster.leader();
        const electedMs = performance.now() - killedAtMs;
        await clients.writes(300);
        console.log(
          `SIGKILL of ${leader.name}: ${next.name} leads after ${electedMs.toFixed(0)} ms, ` +
            `no write for ${clients.longestPauseMs(killedAtMs).toFixed(0)} ms`,
        );
        await leader.start();
      }
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
      console.log(`${clients.summary}; ${watchers.map(({ resumes }) => resumes).join()} resumptions`);
    });
  });

  test('by SIGTERM: leadership is handed over', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS });
      await clients.writes(300);
      const leader = await cluster.leader();
      const stoppedAtMs = performance.now();
      expect(await leader.terminate()).toEqual({ code: 0, signal: null });
      const stopMs = performance.now() - stoppedAtMs;
      await clients.writes(300);
      console.log(
        `SIGTERM of ${leader.name}: ended after ${stopMs.toFixed(0)} ms, ` +
          `no write for ${clients.longestPauseMs(stoppedAtMs).toFixed(0)} ms`,
      );
      await leader.start();
      expect(await clients.check()).toEqual([]);
      console.log(clients.summary);
    });
  });

  test('by SIGSTOP for 12 s: it steps down, and serves no stale read when it goes on', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, agents: 2 });
      const watcher = new RecordedWatcher(cluster, NS);
      await clients.writes(300);
      const leader = await cluster.leader();
      const stoppedAtMs = performance.now();
      leader.pause();
      await clients.writes(300);
      console.log(
        `SIGSTOP of ${leader.name}: no write for ${clients.longestPauseMs(stoppedAtMs).toFixed(0)} ms`,
      );
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      leader.resume();
      await clients.writes(500);
      expect(await cluster.leader()).not.toBe(leader);
      await cluster.ready();
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, [watcher])).toEqual([]);
      console.log(clients.summary);
    });
  });
});
