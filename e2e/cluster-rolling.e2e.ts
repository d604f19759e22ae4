import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSigner } from 'fast-jwt';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { SteadyClients } from './launcher/steady-clients';
import { until } from './launcher/until';

const NS = 'agent://rolling';

/** What Kubernetes runs ahead of a stop, in a container where the node is process 1; then it waits, and stops it. */
const PRE_STOP = /"-c", "(kill -\w+) 1 && sleep/.exec(
  readFileSync(path.join(__dirname, '../deploy/helm/templates/statefulset.yaml'), 'utf8'),
)?.[1];

/**
 * The goal: nodes are restarted one by one, with new settings too, and programs that use the SDK notice nothing. The
 * method: real processes under load, each told ahead of its stop by the command of the chart's `preStop`; what the SDK
 * meets before it tries again is counted and printed, each write is read back, and every acknowledged one is looked for
 * at the end, at every node.
 */
describe('a rolling restart', () => {
  test('loses no acknowledged write and fails no request', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const clients = new SteadyClients(cluster, { ns: NS });
      await clients.furtherWrites(200);
      for (const node of cluster.nodes) {
        await restart(cluster, node);
        await clients.furtherWrites(200);
      }
      expect(await clients.check()).toEqual([]);
      console.log(`rolling restart of three nodes: ${clients.summary}`);
    });
  });

  test('rotates keys without a refused request', async () => {
    const [first, second, third] = [newKey('key-1'), newKey('key-2'), newKey('key-3')];
    const DEV_MODE = 'false';
    const before = { DEV_MODE, HTTP_HOST: '127.0.0.1', ...active(first), ...next(second) };
    const after = { ...before, ...active(second), ...next(third) };
    await Cluster.with({ nodes: 3, environment: before }, async (cluster) => {
      let token = signed(first);
      const clients = new SteadyClients(cluster, { ns: NS, token: () => token });
      await clients.furtherWrites(100);
      token = signed(second);
      await clients.furtherWrites(100);
      for (const node of cluster.nodes) {
        await restart(cluster, node, after);
        await clients.furtherWrites(100);
      }
      expect(await clients.check()).toEqual([]);
      expect([...clients.errorsBeforeRetries.keys()].filter((error) => /^4/.test(error))).toEqual([]);
      console.log(`rotation of the keys: ${clients.summary}`);
      for (const node of cluster.nodes) {
        const look = (bearer: string): Promise<number> =>
          fetch(`${node.url}/v1/${encodeURIComponent(NS)}/objects`, {
            headers: { authorization: `Bearer ${bearer}` },
          }).then(({ status }) => status);
        expect([await look(signed(first)), await look(signed(second)), await look(signed(third))]).toEqual([
          401, 200, 200,
        ]);
      }
    });
  });
});

/** As Kubernetes does it: said ahead, not ready any more, stopped, started, ready. */
async function restart(
  cluster: Cluster,
  node: ClusterNode,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  execFileSync('/bin/sh', ['-c', `${PRE_STOP ?? 'false'} ${node.processId}`]);
  await until(`${node.name} to say that it leaves`, async () => {
    const { status, headers } = await fetch(`${node.url}/ready`);
    return status === 503 && headers.get('connection') !== 'close';
  });
  await until(`${node.name} to lead nothing`, async () => {
    const groups = await Promise.all([0, 1].map((group) => node.group(group)));
    return groups.every((sight) => sight?.isLeader === false);
  });
  expect(await node.terminate()).toEqual({ code: 0, signal: null });
  await node.start(environment);
  await cluster.ready();
}

interface Key {
  readonly id: string;
  readonly key: Buffer;
}

const newKey = (id: string): Key => ({ id, key: randomBytes(32) });
const active = ({ id, key }: Key): Record<string, string> => ({
  CAP_KEY_ACTIVE_ID: id,
  CAP_KEY_ACTIVE: key.toString('base64'),
});
const next = ({ id, key }: Key): Record<string, string> => ({
  CAP_KEY_NEXT_ID: id,
  CAP_KEY_NEXT: key.toString('base64'),
});

function signed({ id, key }: Key): string {
  const sign = createSigner({ key, algorithm: 'HS256', kid: id, expiresIn: 3_600_000 });
  return sign({ ns: NS, ops: ['PUT', 'GET'] });
}
