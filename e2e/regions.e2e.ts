import { randomBytes } from 'node:crypto';
import { type Answer, Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { filesWith } from './launcher/folder-search';
import { membersOf, place } from './launcher/namespace-admin';
import { until } from './launcher/until';
import { Watcher } from './launcher/watcher';

const EU = 'eu-west-1';
const US = 'us-west-2';
const AP = 'ap-south-1';
const REGIONS = [EU, EU, EU, US, US, AP];
const NS = 'agent://pinned';

/** Every request of a namespace, as method and path. */
const REQUESTS = [
  ['PUT', '/objects/x', '{}'],
  ['POST', '/objects', '{}'],
  ['PATCH', '/objects/x', '{}'],
  ['GET', '/objects/x'],
  ['GET', '/objects/x?consistency=stale'],
  ['GET', '/objects/x/history'],
  ['GET', '/objects'],
  ['POST', '/query', '{}'],
  ['DELETE', '/objects/x'],
  ['GET', '/watch'],
  ['POST', '/batch', '{"ops":[]}'],
  ['POST', '/lease/acquire', '{}'],
  ['POST', '/lease/renew', '{}'],
  ['POST', '/lease/release', '{}'],
  ['GET', '/lease/x'],
  ['GET', '/objects/x?at_seq=1'],
  ['GET', '/objects/x?at=2026-01-01T00:00:00Z'],
] as const;

/** And of operators, who name the namespace elsewhere. */
const OPERATORS_REQUESTS = [
  ['POST', '/admin/explain-query', JSON.stringify({ ns: NS })],
  ['GET', `/admin/dump?ns=${encodeURIComponent(NS)}`],
] as const;

async function refusals(node: ClusterNode): Promise<readonly string[]> {
  const wrong: string[] = [];
  const requests = [
    ...REQUESTS.map(
      ([method, path, body]) => [method, `/v1/${encodeURIComponent(NS)}${path}`, body] as const,
    ),
    ...OPERATORS_REQUESTS,
  ];
  for (const [method, path, body] of requests) {
    const response = await fetch(`${node.url}${path}`, {
      method,
      ...(body && { body, headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as { code?: string; allowed_regions?: string[] };
    const isRefused = response.status === 451 && answer.code === 'region_not_allowed';
    if (!isRefused || answer.allowed_regions?.join() !== EU)
      wrong.push(`${node.name} ${method} ${path} ${response.status}`);
  }
  return wrong;
}

/**
 * The goal: not one byte of a pinned namespace is on a disk or a link of another region, whatever happens to the nodes.
 * The method: six processes in three regions; random bytes in ids, tags and bodies; then every file and every byte
 * that passed between regions is searched for them.
 */
/** Puts until it is stored: 503 says that it has not happened, as while a group elects its leader. */
function stored(client: Client, id: string, object: object): Promise<Answer> {
  return until(`a write of ${id}`, async () => {
    const answer = await client.put(id, object);
    if (answer.status === 200) return answer;
    if (answer.status !== 503) throw new Error(`a write of ${id} answered ${answer.status}`);
    return undefined;
  });
}

/** Six processes on a busy machine: it bounds a hang, it measures nothing. */
const TEST_TIMEOUT_MS = 400_000;

describe('a namespace that is pinned to a region', () => {
  test(
    'is nowhere else, through elections, a rebuilt node and a lost region',
    async () => {
      await Cluster.with(
        { nodes: 6, regions: REGIONS, environment: { WAL_SEGMENT_BYTES: '4194304' } },
        async (cluster) => {
          const canary = randomBytes(16).toString('hex');
          const bytes = Buffer.from(canary);
          const inside = cluster.nodes.filter((node) => cluster.regionOf(node) === EU);
          const outside = cluster.nodes.filter((node) => cluster.regionOf(node) !== EU);
          const [first, second, third] = inside as [ClusterNode, ClusterNode, ClusterNode];
          const far = outside[0] as ClusterNode;
          const leaks: string[] = [];
          cluster.searchLinks(outside, bytes, (way) => leaks.push(way));

          // Set where it may not be: an operator may be anywhere.
          const { group_id: group } = await place(far, NS, { regions: [EU] });
          for (const node of outside) expect(await refusals(node)).toEqual([]);
          expect(await membersOf(far, group)).toEqual(inside.map(({ name }) => name));

          const clients = inside.map((node) => new Client(node.url, NS));
          const watcher = new Watcher(clients[0] as Client);
          cluster.atEnd(() => void watcher.stop());
          const write = async (count: number, mark: string): Promise<void> => {
            for (let at = 0; at < count; at++) {
              const client = clients[at % clients.length] as Client;
              const object = { body: { note: `${canary} ${mark}` }, tags: { [canary]: canary } };
              await until(`a write of ${mark}`, async () => {
                const answer = await client.put(`${canary}-${at % 20}`, object).catch(() => undefined);
                return answer?.status === 200;
              });
            }
          };
          await write(60, 'first');

          const leader = await cluster.leader(group, () => inside);
          await leader.kill();
          clients.splice(inside.indexOf(leader), 1);
          await write(40, 'second');
          await leader.emptyDisk();
          await leader.start({ REGION: EU, CLUSTER_NODES: '', CLUSTER_JOIN: `127.0.0.1:${far.ports.peer}` });
          clients.push(new Client(leader.url, NS));
          await until(
            'the rebuilt node to vote',
            async () =>
              (await membersOf(far, group)).join() ===
              inside
                .map(({ name }) => name)
                .sort()
                .join(),
          );
          await write(40, 'third');
          const snapshot = await fetch(`${first.url}/admin/snapshot`, { method: 'POST' });
          expect([snapshot.status, await snapshot.json()]).toEqual([200, expect.anything()]);

          // Everything goes on where the namespace is while all other regions are away.
          for (const node of outside) cluster.isolate(node);
          await write(20, 'fourth');
          cluster.heal();
          await cluster.ready();
          for (const node of outside) expect(await refusals(node)).toEqual([]);

          await Promise.all(cluster.nodes.map((node) => node.terminate()));
          for (const node of [first, second, third]) {
            expect((await filesWith(node.dataDir, bytes)).length).toBeGreaterThan(0);
          }
          for (const node of outside) expect(await filesWith(node.dataDir, bytes)).toEqual([]);
          expect(leaks).toEqual([]);
        },
      );
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'leaves the others alone: a lost region stops only what is pinned to it',
    async () => {
      await Cluster.with({ nodes: 6, regions: REGIONS }, async (cluster) => {
        const [one, , , us, otherUs] = cluster.nodes as [
          ClusterNode,
          ClusterNode,
          ClusterNode,
          ClusterNode,
          ClusterNode,
        ];
        await place(one, 'agent://us', { regions: [US] });
        await place(one, NS, { regions: [EU] });
        const refused = await fetch(`${one.url}/admin/namespaces/other`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: '{"regions":["mars-1"]}',
        });
        expect([refused.status, await refused.json()]).toEqual([
          400,
          expect.objectContaining({
            code: 'invalid_request',
            errors: [{ field: 'regions', reason: expect.stringContaining('mars-1') as string }],
          }),
        ]);
        for (const node of [us, otherUs]) await node.kill();
        for (const ns of [NS, 'agent://default']) {
          const client = new Client(one.url, ns);
          await until(`a write of ${ns}`, async () => (await client.put('x', {})).status === 200);
        }
        expect((await new Client(one.url, 'agent://us').put('x', {})).status).toBe(451);
        // A machine of the lost region must not come up in another one with what it has.
        const moved = us.spawn({ REGION: EU });
        expect((await moved.exit).code).toBe(1);
        expect(moved.output).toContain(`REGION=${EU}, but this node holds replicas that are pinned to ${US}`);
        await Promise.all([us, otherUs].map((node) => node.start()));
        const client = new Client(us.url, 'agent://us');
        await until('the lost region to write again', async () => (await client.put('x', {})).status === 200);
      });
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'moves with its data, and its positions go on upwards',
    async () => {
      await Cluster.with({ nodes: 6, regions: REGIONS }, async (cluster) => {
        const inside = cluster.nodes[0] as ClusterNode;
        const client = new Client(inside.url, NS);
        const versions = new Map<string, number>();
        for (let at = 0; at < 120; at++) {
          const answer = await stored(client, `o-${at % 80}`, { body: { at }, tags: { even: `${at % 2}` } });
          versions.set(`o-${at % 80}`, answer.body.commit_seq);
        }
        await client.remove('o-7');
        versions.delete('o-7');
        const last = Math.max(...versions.values()) + 1;
        const watcher = new Watcher(client, '?from_commit=1');
        cluster.atEnd(() => void watcher.stop());
        await watcher.until('everything so far', () => watcher.changes.length === 121);

        await place(inside, NS, { regions: [EU] });
        const after = await stored(client, 'o-new', {});
        expect(after.body.commit_seq).toBeGreaterThan(last);
        const listed = (await client.list('?limit=1000')).body;
        expect(new Map(listed.map(({ id, commit_seq }) => [id, commit_seq]))).toEqual(
          new Map([...versions, ['o-new', after.body.commit_seq]]),
        );
        // Who watches sees every change, once, in order, through the move; and so does who comes later.
        const late = new Watcher(client, '?from_commit=1');
        cluster.atEnd(() => void late.stop());
        for (const one of [watcher, late]) {
          await one.until('the write after the move', () => one.changes.some(({ id }) => id === 'o-new'));
          const positions = one.changes.map(({ commit_seq }) => commit_seq ?? 0);
          expect(positions.length).toBe(122);
          expect(positions).toEqual([...positions].sort((left, right) => left - right));
        }
        expect(watcher.connections).toBeGreaterThan(1);

        // And back to everywhere.
        const path = `${inside.url}/admin/namespaces/${encodeURIComponent(NS)}`;
        expect((await fetch(path, { method: 'DELETE' })).status).toBe(204);
        expect((await fetch(path)).status).toBe(404);
        const elsewhere = new Client((cluster.nodes[5] as ClusterNode).url, NS);
        await until('the other regions to serve it', async () => {
          const answer = await elsewhere.get('o-new');
          return answer.status === 200 && answer.body.commit_seq === after.body.commit_seq;
        });
      });
    },
    TEST_TIMEOUT_MS,
  );
});
