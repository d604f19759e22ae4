import { SseParser } from '#testkit';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { RecordedClients } from './launcher/recorded-clients';
import { checkWatchers, RecordedWatcher } from './launcher/recorded-watcher';

const NS = 'agent://far';
const PATH = `/v1/${encodeURIComponent(NS)}`;

/** The events of a stream up to the first for which `isLast` holds. */
async function read(
  url: string,
  isLast: (data: Record<string, unknown>) => boolean,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly events: readonly Record<string, unknown>[] }> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), 30_000);
  const events: Record<string, unknown>[] = [];
  try {
    const response = await fetch(url, { headers, signal: ending.signal });
    if (!response.ok) return { status: response.status, events: [(await response.json()) as never] };
    const parser = new SseParser();
    for await (const bytes of response.body!) {
      for (const { data } of parser.push(bytes as Uint8Array)) {
        const event = JSON.parse(data) as Record<string, unknown>;
        events.push(event);
        if (isLast(event)) return { status: 200, events };
      }
    }
    throw new Error(`the stream ended after ${events.length} events`);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

async function put(node: ClusterNode, id: string, body: unknown): Promise<number> {
  const response = await fetch(`${node.url}${PATH}/objects/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ body }),
  });
  if (response.status !== 200) throw new Error(`put: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { commit_seq: number }).commit_seq;
}

/**
 * The goal: a node that holds no replica of a namespace serves its watches as every other does. The method: a fourth
 * node joins three that hold everything; its streams are compared with the history, under faults of the holders.
 */
describe('a node without a replica', () => {
  test('streams, resumes, starts with the state and refuses as one with a replica does', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const far = await cluster.newcomer('node-4');
      await far.start();
      const [near] = cluster.nodes as [ClusterNode];
      for (let at = 0; at < 150; at++) await put(near, `o-${at % 100}`, 'x'.repeat(4_000));
      const last = await put(far, 'mark', 1);
      const watch = `${far.url}${PATH}/watch`;

      const history = await read(`${watch}?from_commit=1`, ({ id }) => id === 'mark');
      expect(history.events.filter(({ type }) => type === 'PUT')).toHaveLength(151);

      const state = await read(`${watch}?initial=true`, ({ type }) => type === 'BOOKMARK');
      expect(state.events).toHaveLength(102);
      expect(state.events.at(-1)).toMatchObject({ type: 'BOOKMARK', commit_seq: last });

      const now = read(watch, ({ id }) => id === 'after');
      const resumed = read(watch, ({ id }) => id === 'after', { 'last-event-id': `${last}` });
      const after = await put(near, 'after', 2);
      // The first may have begun after the write, and then ends with its next one.
      await put(near, 'after', 3);
      expect((await now).events[0]).toMatchObject({ type: 'BOOKMARK' });
      const [bookmark, first] = (await resumed).events;
      expect(bookmark).toMatchObject({ type: 'BOOKMARK', commit_seq: last });
      expect(first).toMatchObject({ type: 'PUT', id: 'after', commit_seq: after });

      const never = await read(watch, () => true, { 'last-event-id': '1000000' });
      expect(never).toMatchObject({ status: 410, events: [{ code: 'compacted', first_available: 1 }] });
    });
  });

  test('misses nothing while the holders come and go', async () => {
    await Cluster.with({ nodes: 3 }, async (cluster) => {
      const far = await cluster.newcomer('node-4');
      await far.start();
      const clients = new RecordedClients(cluster, { ns: NS });
      const watchers = [1, 2].map(() => new RecordedWatcher(cluster, NS, () => [far]));
      watchers.push(new RecordedWatcher(cluster, NS));
      await clients.writes(100);
      for (const holder of [await cluster.leader(), cluster.node('node-1')]) {
        await holder.kill();
        await clients.writes(100);
        await holder.start();
      }
      await far.restart();
      await clients.writes(100);
      expect(await clients.check()).toEqual([]);
      expect(await checkWatchers(cluster, NS, watchers)).toEqual([]);
      console.log(`${clients.summary}; ${watchers.map(({ resumes }) => resumes).join()} resumptions`);
    });
  });
});
