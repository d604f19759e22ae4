import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';
import { until } from './launcher/until';

const NS = 'agent://quorum';

/**
 * The goal: a minority that is lost changes nothing, and a majority that is lost stops what needs it, says so, and
 * loses nothing. The method: kill nodes under load, ask those that are left, and bring the others back.
 */
describe('a cluster', () => {
  test('of three goes on without one, and without two only tells what it had', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS });
      const watcher = new RecordedWatcher(cluster, NS);
      await clients.writes(200);
      const [first, second] = await cluster.followers();
      if (first === undefined || second === undefined) throw new Error('two followers expected');
      const lostAtMs = performance.now();
      await first.kill();
      await clients.writes(300);
      const pauseMs = clients.longestPauseMs(lostAtMs);
      console.log(`a follower of three lost: no write for ${pauseMs.toFixed(0)} ms`);

      const kept = await new Client(second.url, NS).put('kept', { body: 'before' });
      expect(kept.status).toBe(200);
      const left = await cluster.leader();
      await second.kill();
      const client = new Client(left.url, NS);
      // Until CheckQuorum notices, what is asked is left unanswered: the outcome is then unknown.
      const refusedAtMs = performance.now();
      const refused = await until('a write to be refused for certain', async () => {
        const answer = await client.put('more', {});
        expect([503, 504]).toContain(answer.status);
        return answer.status === 503 && answer;
      });
      console.log(`two of three lost: 503 after ${(performance.now() - refusedAtMs).toFixed(0)} ms`);
      expect(refused.body).toMatchObject({ code: 'no_leader' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const read = await client.get('kept');
      expect(read).toMatchObject({ status: 503, body: { code: 'no_leader' } });
      expect(Number(read.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await client.get('kept', '?consistency=stale')).toMatchObject({
        status: 200,
        body: { body: 'before' },
      });
      expect((await fetch(`${left.url}/health`)).status).toBe(200);
      expect((await fetch(`${left.url}/ready`)).status).toBe(503);

      const returnedAtMs = performance.now();
      await Promise.all([first.start(), second.start()]);
      await clients.writes(200);
      console.log(
        `writes again ${(performance.now() - returnedAtMs).toFixed(0)} ms after the nodes came back`,
      );
      expect((await client.get('kept')).body.body).toBe('before');
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, [watcher])).toEqual([]);
      console.log(clients.summary);
    });
  });

  test('of five goes on without two', async () => {
    await Cluster.with({ nodes: 5 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS });
      const watcher = new RecordedWatcher(cluster, NS);
      await clients.writes(200);
      const leader = await cluster.leader();
      const [follower] = cluster.others(leader);
      const lostAtMs = performance.now();
      await Promise.all([leader.kill(), follower?.kill()]);
      await clients.writes(300);
      const pauseMs = clients.longestPauseMs(lostAtMs);
      console.log(`leader and follower of five lost: no write for ${pauseMs.toFixed(0)} ms`);
      await Promise.all([leader.start(), follower?.start()]);
      await clients.writes(100);
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, [watcher])).toEqual([]);
      console.log(clients.summary);
    });
  });
});
