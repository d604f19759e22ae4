import { Cluster } from '../launcher/cluster';
import { Connections } from '../launcher/connections';
import { RecordedClients } from '../launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from '../launcher/recorded-watcher';
import { until } from '../launcher/until';

const NS = 'agent://stalls';
const STALL_MS = 30_000;
/** More than the log keeps for a follower that is behind, so that a snapshot has to bring it up to date. */
const ENTRIES_BEHIND = 100_000;
const CONNECTIONS = 64;

/** The goal: long absences end well. The method: freeze the leader, or stop a follower, for long; then look. */
describe('a node that was away for long', () => {
  test('a leader frozen for 30 s steps down and serves no stale read', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, clients: 12 });
      const watchers = [1, 2, 3].map(() => new RecordedWatcher(cluster, NS));
      await clients.writes(300);
      const leader = await cluster.leader();
      leader.pause();
      await new Promise((resolve) => setTimeout(resolve, STALL_MS));
      leader.resume();
      await clients.writes(1_000);
      await cluster.ready();
      expect(await cluster.leader()).not.toBe(leader);
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
      console.log(clients.summary);
    });
  });

  test(`a follower ${ENTRIES_BEHIND} entries behind catches up while load runs`, async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const [follower] = await cluster.followers();
      const leader = await cluster.leader();
      if (follower === undefined) throw new Error('a follower expected');
      const stoppedAt = (await follower.group())?.applied ?? 0;
      await follower.kill();
      const writtenAtMs = performance.now();
      await write(leader.ports.http, ENTRIES_BEHIND);
      const writtenMs = performance.now() - writtenAtMs;
      const commit = (await leader.group())?.commit ?? 0;
      expect(commit - stoppedAt).toBeGreaterThanOrEqual(ENTRIES_BEHIND);

      const clients = new RecordedClients(cluster, { ns: NS });
      await clients.writes(50);
      const startedAtMs = performance.now();
      await follower.start();
      await follower.reaches(commit);
      console.log(
        `${ENTRIES_BEHIND} entries written in ${(writtenMs / 1_000).toFixed(1)} s; ${follower.name} caught up ` +
          `${(performance.now() - startedAtMs).toFixed(0)} ms after its start; ` +
          `no write for ${clients.longestPauseMs(startedAtMs).toFixed(0)} ms`,
      );
      await clients.writes(100);
      const objects = await until('a stale read of the follower', async () => {
        const response = await fetch(
          `${follower.url}/v1/${encodeURIComponent('agent://far')}/objects?limit=1000&consistency=stale`,
        );
        return response.ok && ((await response.json()) as readonly unknown[]);
      });
      expect(objects).toHaveLength(CONNECTIONS);
      expect(await clients.check()).toEqual([]);
      console.log(clients.summary);
    });
  });
});

async function write(port: number, count: number): Promise<void> {
  const connections = new Connections(port, CONNECTIONS);
  const path = `/v1/${encodeURIComponent('agent://far')}/objects`;
  let left = count;
  try {
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, writer) => {
        while (left-- > 0) {
          const { status } = await connections.send('PUT', `${path}/w${writer}`, { body: left });
          if (status !== 200) throw new Error(`PUT answered ${status}`);
        }
      }),
    );
  } finally {
    connections.close();
  }
}
