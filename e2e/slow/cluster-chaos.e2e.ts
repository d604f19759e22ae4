import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from '../launcher/cluster';
import type { ClusterNode } from '../launcher/cluster-node';
import { RecordedClients } from '../launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from '../launcher/recorded-watcher';

const NS = 'agent://chaos';
const DURATION_MS = 60_000;

type Fault = (cluster: Cluster, node: ClusterNode, other: ClusterNode) => Promise<void>;

const FAULTS: Readonly<Record<string, Fault>> = {
  async kill(_, node) {
    await node.kill();
    await delay(randomInt(3_000));
    await node.start();
  },
  async terminate(_, node) {
    await node.terminate();
    await node.start();
  },
  async freeze(_, node) {
    node.pause();
    await delay(randomInt(6_000));
    node.resume();
  },
  async isolate(cluster, node) {
    cluster.isolate(node, { reset: randomInt(2) === 0 });
    await delay(randomInt(5_000));
    cluster.heal();
  },
  async cutOneWay(cluster, node, other) {
    cluster.cut(node, other);
    await delay(randomInt(5_000));
    cluster.heal();
  },
  async killDuringPartition(cluster, node, other) {
    cluster.isolate(other);
    await node.kill();
    await delay(randomInt(3_000));
    cluster.heal();
    await node.start();
  },
};

/** The goal: what no test thought of. The method: faults at random, one after the other, for a minute under load. */
describe('a cluster under faults at random', () => {
  test('loses nothing, and answers rightly', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new RecordedClients(cluster, { ns: NS, clients: 10, agents: 4, keys: 40 });
      const watchers = [1, 2, 3].map(() => new RecordedWatcher(cluster, NS));
      const done: string[] = [];
      const endMs = performance.now() + DURATION_MS;
      try {
        while (performance.now() < endMs) {
          await clients.writes(100);
          const [name = '', fault] = pick(Object.entries(FAULTS));
          // The leader half of the time: that is where most can go wrong.
          const node = randomInt(2) === 0 ? await cluster.leader() : pick(cluster.nodes);
          const other = pick(cluster.others(node));
          done.push(`${name} ${node.name}/${other.name}`);
          await fault?.(cluster, node, other);
        }
        await cluster.ready();
        expect(await clients.check()).toEqual([]);
        expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
      } finally {
        console.log(`${done.join(', ')}\n${clients.summary}`);
      }
    });
  });
});

function pick<Item>(items: readonly Item[]): Item {
  const item = items[randomInt(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
