import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from './launcher/cluster';
import { LinkRelay } from './launcher/link-relay';
import { NatsServer } from './launcher/nats-server';
import { RecordedClients } from './launcher/recorded-clients';
import { checkResumes, checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';

const NS = 'agent://faulty';
/** How long NATS is away under load. */
const NATS_AWAY_MS = 10_000;

/**
 * The goal: whatever happens to NATS, to a node's connection to it, to nodes with watchers, or to all of them at
 * once, each watcher is sent every change once and in order. The method: watchers at a node with and at one without
 * a replica, faults one after the other under load, and every stream compared with the history read back; then a
 * stream resumed after every position of it.
 */
describe('watches under faults', () => {
  test('are whole through the loss of NATS, of its connections, of nodes and of everything', async () => {
    const nats = await NatsServer.start();
    const wire = await LinkRelay.open(nats.port);
    try {
      await Cluster.with({ nodes: 3, environment: { NATS_URL: nats.url } }, async (cluster) => {
        const far = await cluster.newcomer('node-4');
        const throughWire = { NATS_URL: `nats://127.0.0.1:${wire.port}` };
        await far.start(throughWire);
        const nodes = () => cluster.nodes.slice(0, 3);
        const clients = new RecordedClients(cluster, { ns: NS, nodes, thinkMs: 60 });
        const watchers = [
          new RecordedWatcher(cluster, NS, () => [far]),
          new RecordedWatcher(cluster, NS, () => [cluster.node('node-1')]),
          new RecordedWatcher(cluster, NS),
        ];
        await clients.writes(50);

        // What NATS sends to this one node is lost from here on, and nobody is told.
        wire.cut();
        await clients.writes(100);
        wire.heal();
        await clients.writes(50);
        wire.cut({ reset: true });
        await clients.writes(50);
        wire.heal();

        nats.kill();
        await Promise.all([delay(NATS_AWAY_MS), clients.writes(50)]);
        await nats.again();
        await clients.writes(50);

        for (const node of [far, cluster.node('node-1')]) {
          expect((await node.terminate()).code).toBe(0);
          await clients.writes(30);
          await node.start(node === far ? throughWire : {});
        }

        nats.kill();
        await Promise.all(cluster.nodes.map((node) => node.kill()));
        await nats.again();
        await Promise.all(cluster.nodes.map((node) => node.start(node === far ? throughWire : {})));
        await clients.writes(50);

        expect(await clients.check()).toEqual([]);
        expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
        console.log(`${clients.summary}; ${watchers.map(({ resumes }) => resumes).join()} resumptions`);
        expect(await checkResumes(cluster, NS)).toEqual([]);
      });
    } finally {
      await wire.close();
      nats.kill();
    }
  }, 240_000);
});
