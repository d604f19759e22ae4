import { agentstate } from './launcher/agentstate';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { place } from './launcher/namespace-admin';
import { until } from './launcher/until';

const EU = 'eu-west-1';
const US = 'us-west-2';
const NS = 'agent://us';

/**
 * The goal: the last node that may hold what is pinned stays until there is something else to do with it, and an
 * operator is told what. The method: real processes; the same request over HTTP and from the program.
 */
test('the last node of a region leaves when nothing is pinned there any more, and not before', async () => {
  await Cluster.with({ nodes: 3, regions: [EU, EU, US] }, async (cluster) => {
    const [one, , last] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    await cluster.ready();
    await place(one, NS, { regions: [US] });
    const client = new Client(last.url, NS);
    await until('a write', async () => (await client.put('kept', { body: 1 })).status === 200);

    const path = `${one.url}/admin/cluster/nodes/${last.name}`;
    const advice = `${last.name} is the last one that may hold what is pinned to ${US}.*; add a node there, or place these namespaces elsewhere`;
    const refused = await fetch(path, { method: 'DELETE' });
    expect([refused.status, await refused.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'conflict', detail: expect.stringMatching(advice) as string }),
    ]);
    const asked = await agentstate(['cluster', 'remove-node', last.name, '--endpoint', one.url]);
    expect(asked).toMatchObject({ code: 1, err: expect.stringMatching(advice) as string });
    // It was not even begun: the node is as ready as before, and takes writes.
    expect((await fetch(`${last.url}/ready`)).status).toBe(200);
    expect((await client.put('kept', { body: 2 })).status).toBe(200);

    const unpinned = await fetch(`${one.url}/admin/namespaces/${encodeURIComponent(NS)}`, {
      method: 'DELETE',
    });
    expect(unpinned.status).toBe(204);
    await until('nothing to be left behind in the region', async () => {
      const ran = await agentstate(['cluster', 'remove-node', last.name, '--endpoint', one.url]);
      if (ran.code === 1 && new RegExp(advice).test(ran.err)) return false;
      expect(ran).toMatchObject({ code: 0, err: '' });
      return true;
    });
    expect(await last.ended()).toEqual({ code: 0, signal: null });
    expect((await new Client(one.url, NS).get('kept')).body).toMatchObject({ body: 2 });
  });
}, 180_000);
