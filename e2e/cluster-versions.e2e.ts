import { readdir } from 'node:fs/promises';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { setLogVersion } from './launcher/disk-faults';
import { until } from './launcher/until';

const NS = 'agent://versions';

/** How many handshakes a node has seen fail over the versions, refused by either side. */
async function refusals(node: ClusterNode): Promise<number> {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  return Number(/^peer_handshakes_refused_total\{reason="version"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

const statusOf = (url: string): Promise<number> => fetch(url).then((response) => response.status);

/**
 * The goal: a node of another release, or one whose disk was written by a newer release, is refused in a line that
 * says why, harms nobody, and is as good as before once the versions fit. The method: three real nodes, of which one
 * is seen by the others with other versions in its HELLO, and then finds another version in its log. What passes
 * between releases is the golden files' part: libs/transport/golden, libs/wal/fixtures, libs/replication/golden.
 */
describe('a node of another release', () => {
  test('is refused by name of the versions, counted on both sides, and taken back when they fit', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const [other] = (await cluster.followers()) as [ClusterNode];
      const [one, two] = cluster.others(other) as [ClusterNode, ClusterNode];
      const client = new Client(one.url, NS);
      expect((await client.put('before', { body: 0 })).status).toBe(200);

      for (const versions of [
        { min: 2, max: 3 },
        { min: 0, max: 0 },
      ]) {
        const { min, max } = versions;
        const before = await Promise.all(cluster.nodes.map(refusals));
        cluster.announceVersions(other, versions);
        const line = `this node speaks protocol versions 1 to 1, the peer ${min} to ${max}`;
        await until('both others to refuse it and say why', () =>
          [one, two].every((node) => node.output.includes(line)),
        );
        await until('all to have counted it', async () => {
          const now = await Promise.all(cluster.nodes.map(refusals));
          return now.every((count, at) => count > (before[at] ?? 0));
        });
        await until('it to be not ready', async () => (await statusOf(`${other.url}/ready`)) === 503);
        const written = await client.put(`during-${max}`, { body: max });
        expect(written.status).toBe(200);
        expect(await statusOf(`${other.url}/health`)).toBe(200);
        // Nothing that it could not know is answered there.
        expect((await new Client(other.url, NS).get(`during-${max}`)).status).toBeGreaterThanOrEqual(500);
      }

      cluster.announceVersions(other, undefined);
      await cluster.ready();
      await cluster.converged();
      expect((await new Client(other.url, NS).get('during-3')).body).toMatchObject({ body: 3 });

      expect((await other.terminate()).code).toBe(0);
      const setBack = await setLogVersion(other.dataDir, 2);
      const exit = await other.spawn().exit;
      expect(exit.code).toBe(1);
      expect(other.output).toMatch(/is written in log format version 2; this program reads versions up to 1/);
      // A newer format is not damage: nothing is put aside, nothing is joined anew.
      expect((await readdir(other.dataDir)).filter((name) => name.startsWith('quarantine'))).toEqual([]);
      expect((await client.put('after', { body: 1 })).status).toBe(200);
      await setBack();
      await other.start();
      await cluster.converged();
      expect((await new Client(other.url, NS).get('after')).body).toMatchObject({ body: 1 });
    });
  });
});
