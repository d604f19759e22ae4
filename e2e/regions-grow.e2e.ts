import { randomBytes } from 'node:crypto';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { filesWith } from './launcher/folder-search';
import { membersOf, place } from './launcher/namespace-admin';
import { until } from './launcher/until';

const EU = 'eu-west-1';
const US = 'us-west-2';
const WRITES = 20;

/** Each is a group of its own: they ask for different retentions, or for fewer replicas. */
const PINNED = {
  'agent://one': { replicas: 3, history_retention_seconds: 3_601 },
  'agent://two': { replicas: 3, history_retention_seconds: 3_602 },
  'agent://three': { replicas: 3, history_retention_seconds: 3_603 },
  'agent://pair': { replicas: 2 },
} as const;

interface GroupAnswer {
  readonly group_id: number;
  readonly leader: string | null;
  readonly under_replicated: boolean;
  readonly repair: readonly string[];
}

async function groupsOf(node: ClusterNode): Promise<readonly GroupAnswer[]> {
  const response = await fetch(`${node.url}/admin/cluster`);
  return ((await response.json()) as { groups: readonly GroupAnswer[] }).groups;
}

const isWhole = ({ under_replicated, repair }: GroupAnswer): boolean =>
  !under_replicated && repair.length === 0;

/**
 * The goal: what is pinned to a region uses every node that comes to it, and is repaired on those alone. The method: two
 * nodes of a region and one outside; a third joins the region, dies and is removed, and a fourth comes in its place. Every file of the node
 * outside is searched for what was written.
 */
test('groups that are pinned grow with their region, spread their leaders, and are repaired within it', async () => {
  await Cluster.with({ nodes: 3, regions: [EU, EU, US] }, async (cluster) => {
    const [one, two, outside] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    await cluster.ready();
    const groups = new Map<string, number>();
    for (const [ns, settings] of Object.entries(PINNED)) {
      const placed = await place(outside, ns, { regions: [EU], ...settings });
      expect(placed.under_replicated).toBe(settings.replicas > 2);
      groups.set(ns, placed.group_id);
    }
    expect(new Set(groups.values()).size).toBe(groups.size);
    const canary = randomBytes(16).toString('hex');
    const write = async (node: ClusterNode, mark: string): Promise<void> => {
      for (const ns of groups.keys()) {
        const client = new Client(node.url, ns);
        for (let n = 0; n < WRITES; n++) {
          await until(`a write to ${ns}`, async () => {
            const answer = await client.put(`${mark}-${n}`, { body: canary }).catch(() => undefined);
            return answer?.status === 200;
          });
        }
      }
    };
    const expectMembers = (
      wanted: (ns: string) => readonly ClusterNode[],
      via: ClusterNode,
    ): Promise<unknown> =>
      Promise.all(
        [...groups].map(([ns, group]) => {
          const names = wanted(ns).map(({ name }) => name);
          return until(`${ns} to be on ${names.join()}`, async () => {
            return (await membersOf(via, group)).join() === names.join();
          });
        }),
      );
    const pinned = async (): Promise<readonly GroupAnswer[]> =>
      (await groupsOf(outside)).filter(({ group_id }) => [...groups.values()].includes(group_id));
    const isPair = (ns: string): boolean => ns === 'agent://pair';
    await write(one, 'first');
    await expectMembers(() => [one, two], outside);

    const newcomer = await cluster.newcomer('node-4');
    await newcomer.start({ REGION: EU });
    await expectMembers((ns) => (isPair(ns) ? [one, two] : [one, two, newcomer]), outside);
    await until('the newcomer to lead, and every replica to be in its place', async () => {
      const found = await pinned();
      const leads = new Set(found.map(({ leader }) => leader));
      return found.every(isWhole) && [one, two, newcomer].every(({ name }) => leads.has(name));
    });
    await write(newcomer, 'second');

    await newcomer.kill();
    const path = `${outside.url}/admin/cluster/nodes/${newcomer.name}`;
    expect((await fetch(path, { method: 'DELETE' })).status).toBe(200);
    await expectMembers(() => [one, two], outside);
    await write(two, 'third');
    const replacement = await cluster.newcomer('node-5');
    await replacement.start({ REGION: EU });
    await expectMembers((ns) => (isPair(ns) ? [one, two] : [one, two, replacement]), outside);
    // A member that does not vote yet may not have come to hold anything: others answer for it.
    await until('every replica to be in its place', async () => (await pinned()).every(isWhole));
    for (const ns of groups.keys()) {
      for (const node of [one, replacement]) {
        // Its leader may just be handing over.
        const { body } = await until(`${node.name} to list ${ns}`, async () => {
          const listed = await new Client(node.url, ns).list('?limit=1000');
          return listed.status === 200 && listed;
        });
        expect(body).toHaveLength(3 * WRITES);
      }
      expect((await new Client(outside.url, ns).get('first-0')).status).toBe(451);
    }
    await Promise.all([one, two, replacement, outside].map((node) => node.terminate()));
    for (const node of [one, two, replacement])
      expect((await filesWith(node.dataDir, Buffer.from(canary))).length).toBeGreaterThan(0);
    expect(await filesWith(outside.dataDir, Buffer.from(canary))).toEqual([]);
  });
}, 180_000);
