import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { NatsServer } from './launcher/nats-server';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';
import { until } from './launcher/until';

const NS = 'agent://carried';

async function metric(node: ClusterNode, name: string): Promise<number> {
  const text = await fetch(`${node.url}/metrics`).then((response) => response.text());
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${node.name} has no ${name}`);
  return Number(line.slice(name.length + 1));
}

async function natsState(node: ClusterNode): Promise<readonly [status: number, nats: unknown]> {
  const response = await fetch(`${node.url}/ready`);
  return [response.status, ((await response.json()) as { readonly nats?: unknown }).nats];
}

/**
 * The goal: NATS makes watches fast and never wrong. The method: a real NATS server and nodes with and without a
 * replica; NATS, the leader and everything are killed under load, and what each watcher was sent is compared with
 * the history.
 */
describe('watches with NATS', () => {
  let nats: NatsServer;
  beforeEach(async () => {
    nats = await NatsServer.start();
  });
  afterEach(() => nats.kill());

  test('carries the events, and is missed by nobody while it is gone', async () => {
    await Cluster.with({ nodes: 3, environment: { NATS_URL: nats.url } }, async (cluster) => {
      const far = await cluster.newcomer('node-4');
      await far.start();
      await until('NATS everywhere', async () => {
        const states = await Promise.all(cluster.up.map(natsState));
        return states.every(([status, state]) => status === 200 && state === 'connected');
      });
      const clients = new RecordedClients(cluster, { ns: NS });
      const watchers = [new RecordedWatcher(cluster, NS, () => [far]), new RecordedWatcher(cluster, NS)];
      await clients.writes(100);
      await until('events over NATS at the node without a replica', async () => {
        return (await metric(far, 'watch_source_events_total{source="nats"}')) > 50;
      });

      nats.kill();
      await until('the loss to be told, without failing', async () => {
        const [status, state] = await natsState(far);
        return status === 200 && state === 'degraded' && (await metric(far, 'nats_connected')) === 0;
      });
      await clients.writes(100);
      await nats.again();
      await until('NATS to be back', async () => (await metric(far, 'nats_connected')) === 1);
      await clients.writes(100);

      await (await cluster.leader()).restart();
      await clients.writes(100);
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
      console.log(`${clients.summary}; ${watchers.map(({ resumes }) => resumes).join()} resumptions`);
    });
  });
});
