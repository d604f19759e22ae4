import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { place } from './launcher/namespace-admin';
import { until } from './launcher/until';

/**
 * The goal: indexes of places in bodies are built beside writes, survive the death of the leader that builds them, go
 * with a namespace that moves and to a node that starts empty, and always answer as going through everything does.
 * The method: three processes in two regions; answers of every node are compared with what the test has written.
 */
const [EU, US] = ['eu-west-1', 'us-west-2'];
const NS = 'agent://indexed';
const OBJECTS = 12_000;
const IN_A_BATCH = 120;
const INDEXES = ['$.status', '$.owner.id', '$.n'];
/** It bounds a hang, it measures nothing. */
const TEST_TIMEOUT_MS = 400_000;

interface Body {
  readonly status: string;
  readonly n: number;
  readonly owner: { readonly id: string };
}

const written = new Map<string, Body>();
const bodyOf = (n: number): Body => ({
  status: n % 500 === 0 ? 'rare' : 'usual',
  n: n - OBJECTS / 2,
  owner: { id: `o-${n % 1_000}` },
});

async function send(node: ClusterNode, path: string, json: object): Promise<Response> {
  return fetch(`${node.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
}

/** Writes until it is acknowledged: what is written twice is the same. */
async function write(nodes: () => readonly ClusterNode[], objects: ReadonlyMap<string, Body>): Promise<void> {
  const ops = [...objects].map(([id, body]) => ({ op: 'put', id, body }));
  let turn = 0;
  await until('a batch', async () => {
    const node = nodes()[turn++ % nodes().length] as ClusterNode;
    const response = await send(node, `/v1/${encodeURIComponent(NS)}/batch`, { ops }).catch(() => undefined);
    return response?.status === 200;
  });
  for (const [id, body] of objects) written.set(id, body);
}

const QUERIES: readonly (readonly [where: object, meets: (body: Body) => boolean])[] = [
  [{ '$.status': 'rare' }, ({ status }) => status === 'rare'],
  [{ '$.owner.id': { in: ['o-7', 'o-8'] } }, ({ owner }) => owner.id === 'o-7' || owner.id === 'o-8'],
  [{ '$.n': { gte: -3, lt: 3 } }, ({ n }) => n >= -3 && n < 3],
  [{ '$.n': { lt: -5_980 }, '$.status': 'usual' }, ({ n, status }) => n < -5_980 && status === 'usual'],
];

/** What is wrong with a node's answers. `allow_scan` lets a query be answered also while no index is complete. */
async function differences(node: ClusterNode, search = ''): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [where, meets] of QUERIES) {
    const expected = [...written].filter(([, body]) => meets(body)).map(([id]) => id);
    const path = `/v1/${encodeURIComponent(NS)}/query${search}`;
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const response = await send(node, path, {
        where,
        limit: 7,
        allow_scan: true,
        ...(cursor !== null && { cursor }),
      });
      if (response.status !== 200)
        throw new Error(`${node.name}: ${response.status} ${await response.text()}`);
      found.push(...((await response.json()) as { id: string }[]).map(({ id }) => id));
      cursor = response.headers.get('x-next-cursor');
    } while (cursor !== null);
    if (found.join() !== expected.sort().join())
      wrong.push(`${node.name}: ${JSON.stringify(where)} gave ${found.join()} and not ${expected.join()}`);
  }
  return wrong;
}

async function settings(node: ClusterNode): Promise<{ readonly indexes_building: readonly string[] | null }> {
  const response = await fetch(`${node.url}/admin/namespaces/${encodeURIComponent(NS)}`);
  return (await response.json()) as { indexes_building: readonly string[] | null };
}

async function complete(node: ClusterNode): Promise<void> {
  await until(
    'the indexes to be complete',
    async () => (await settings(node)).indexes_building?.length === 0,
  );
}

async function indexUsed(node: ClusterNode): Promise<string> {
  const response = await send(node, '/admin/explain-query', { ns: NS, where: QUERIES[0]?.[0] });
  return ((await response.json()) as { index: string }).index;
}

/** Every replica names its state at one point of the log; those that differ say so. */
async function mismatches(node: ClusterNode): Promise<string> {
  const taken = await send(node, '/admin/snapshot', {});
  expect(taken.status).toBe(200);
  return (await fetch(`${node.url}/ready`)).text();
}

test(
  'indexes are built through the death of their leader, and go wherever the namespace goes',
  async () => {
    await Cluster.with({ nodes: 3, regions: [EU, EU, US] as string[] }, async (cluster) => {
      const up = (): readonly ClusterNode[] => cluster.up;
      for (let from = 0; from < OBJECTS; from += IN_A_BATCH) {
        const numbers = Array.from({ length: IN_A_BATCH }, (_, at) => from + at);
        await write(up, new Map(numbers.map((n) => [`i-${String(n).padStart(5, '0')}`, bodyOf(n)])));
      }
      const first = cluster.nodes[0] as ClusterNode;
      await place(first, NS, { indexes: INDEXES });
      const leader = await cluster.leader();
      await until('a build to begin', async () => {
        const response = await send(leader, '/admin/explain-query', {
          ns: NS,
          where: { '$.status': 'rare' },
        });
        return ((await response.json()) as { building_paths: string[] }).building_paths.length > 0;
      });
      await leader.kill();
      for (let round = 0; round < 5; round++) {
        const changed = Array.from({ length: 50 }, (_, at) => at * 211 + round);
        await write(up, new Map(changed.map((n) => [`i-${String(n).padStart(5, '0')}`, bodyOf(n + 1)])));
        for (const node of up()) expect(await differences(node)).toEqual([]);
      }
      const survivor = up()[0] as ClusterNode;
      await complete(survivor);
      expect(await indexUsed(survivor)).toBe('field $.status');
      for (const node of up()) expect(await differences(node)).toEqual([]);

      // What it has is gone: it gets the state, with the indexes, from the others.
      await leader.emptyDisk();
      const other = survivor.ports.peer;
      const REGION = cluster.regionOf(leader);
      await leader.start({ REGION, CLUSTER_NODES: '', CLUSTER_JOIN: `127.0.0.1:${other}` });
      await until('the emptied node to hold the namespace', async () => {
        const sight = await leader.group();
        return sight !== undefined && sight.applied >= ((await survivor.group())?.commit ?? Infinity);
      });
      expect(await differences(leader, '?consistency=stale')).toEqual([]);
      expect(await mismatches(survivor)).not.toContain('"snapshots"');

      // The snapshot that was just taken has the namespace, so it is not erased to the end.
      const there = ['active', 'erasing'];
      await place(survivor, NS, { regions: [EU], indexes: INDEXES }, there);
      const inside = cluster.nodes.filter((node) => cluster.regionOf(node) === EU);
      for (const node of inside) {
        expect(await indexUsed(node)).toBe('field $.status');
        expect(await differences(node)).toEqual([]);
      }
      await write(() => inside, new Map([['i-00001', bodyOf(0)]]));
      for (const node of inside) expect(await differences(node)).toEqual([]);

      await place(inside[0] as ClusterNode, NS, { regions: [EU] }, there);
      await until(
        'the indexes to be gone',
        async () => (await indexUsed(inside[0] as ClusterNode)) === 'objects',
      );
      for (const node of inside) expect(await differences(node)).toEqual([]);
    });
  },
  TEST_TIMEOUT_MS,
);
