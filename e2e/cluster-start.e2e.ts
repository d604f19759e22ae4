import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import { until } from './launcher/until';

const NS = 'agent://start';

/**
 * The goal: a node that waits for its first members is alive, says that it is not ready and for whom it waits, and may
 * be stopped; nothing is served before the cluster is there. The method: three first members, of which one comes late.
 */
test('a node that waits for a first member is alive, not ready, and ends when it is told to', async () => {
  await Cluster.with({ nodes: 3, isStartedByTest: true }, async (cluster) => {
    const [one, two, late] = ['node-1', 'node-2', 'node-3'].map((name) => cluster.node(name));
    if (!one || !two || !late) throw new Error('three nodes expected');
    const processes = [one.spawn(), two.spawn()];
    for (const [at, node] of [one, two].entries()) {
      const other = at === 0 ? two : one;
      for (const port of [node.ports.http, node.ports.admin]) {
        const url = `http://127.0.0.1:${port}`;
        const alive = await until(`${node.name} to answer`, () =>
          fetch(`${url}/health`).catch(() => undefined),
        );
        expect([alive.status, await alive.text()]).toEqual([200, 'ok']);
        const waiting = await until(`${node.name} to have met ${other.name}`, async () => {
          const ready = await fetch(`${url}/ready`);
          expect(ready.status).toBe(503);
          const report = (await ready.json()) as Record<string, unknown>;
          return report['starting'] === `waiting to meet ${late.name}` && report;
        });
        expect(waiting).toMatchObject({ status: 'not_ready', failed: ['starting'] });
      }
      const refused = await new Client(node.url, NS).put('x', { body: 1 });
      expect(refused).toMatchObject({ status: 503, body: { code: 'not_ready' } });
      expect(refused.headers.get('retry-after')).toBe('1');
    }
    expect(processes.map(({ output }) => output.includes('agentstate is serving'))).toEqual([false, false]);

    const stoppedAtMs = performance.now();
    expect(await two.terminate()).toEqual({ code: 0, signal: null });
    console.log(
      `a node that waits for another stopped in ${(performance.now() - stoppedAtMs).toFixed(0)} ms`,
    );

    await Promise.all([two.start(), late.start()]);
    await cluster.ready();
    expect((await new Client(one.url, NS).put('x', { body: 1 })).status).toBe(200);
  });
});
