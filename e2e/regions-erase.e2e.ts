import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { connect } from '@nats-io/transport-node';
import { Client } from './launcher/client';
import { Cluster } from './launcher/cluster';
import type { ClusterNode } from './launcher/cluster-node';
import { filesWith } from './launcher/folder-search';
import { place, type NamespaceAnswer } from './launcher/namespace-admin';
import { NATS_SECRETS, natsEnvironment, startNatsRegions } from './launcher/nats-regions';
import type { NatsServer } from './launcher/nats-server';
import { until } from './launcher/until';
import { Watcher } from './launcher/watcher';

const EU = 'eu-west-1';
const US = 'us-west-2';
const AP = 'ap-southeast-1';
const REGIONS = [EU, EU, EU, US, US, AP];
const NS = 'agent://moves';
/** Six processes and three NATS servers on a busy machine: it bounds a hang, it measures nothing. */
const TEST_TIMEOUT_MS = 400_000;

async function snapshot(node: ClusterNode): Promise<void> {
  await until('a named snapshot', async () => {
    return (await fetch(`${node.url}/admin/snapshot`, { method: 'POST' })).status === 200 ? true : undefined;
  });
}

async function stateOf(node: ClusterNode): Promise<string> {
  const answer = await fetch(`${node.url}/admin/namespaces/${encodeURIComponent(NS)}`);
  return ((await answer.json()) as NamespaceAnswer).state;
}

/** Everything that a user of a region may listen to on its server, and what it is refused. */
async function listen(region: string, server: NatsServer) {
  const connection = await connect({
    servers: server.url,
    user: `agentstate-${region}`,
    pass: NATS_SECRETS.NATS_PASSWORD,
  });
  const heard: Uint8Array[] = [];
  const refused: string[] = [];
  for (const subject of ['>', 'agentstate.>', 'agentstate.*.default.*', `agentstate.*.in+${region}.*`]) {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) refused.push(subject);
        else heard.push(message.data);
      },
    });
  }
  await connection.flush();
  return { heard, refused, close: () => connection.close() };
}

/**
 * The goal: a namespace that has moved to another region has left nothing where it was: not in the state, the log, nor
 * in named snapshots; and a third region never had any of it, on disk, on a link, or on NATS. The method: random bytes
 * in ids, tags, values, leases and the history; then every file is searched for them.
 */
test(
  'what has moved to another region is gone from the disks of the first, and never was in a third',
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-nats-'));
    const nats = await startNatsRegions(folder);
    const canary = randomBytes(16).toString('hex');
    const bytes = Buffer.from(canary);
    const listener = await listen(AP, nats.get(AP) as NatsServer);
    try {
      const environmentOf = (region: string) => natsEnvironment(region, nats.get(region) as NatsServer);
      const environment = { WAL_SEGMENT_BYTES: '1048576' };
      await Cluster.with({ nodes: 6, regions: REGIONS, environment, environmentOf }, async (cluster) => {
        const [first, , , us, otherUs, ap] = cluster.nodes as [
          ...[ClusterNode, ClusterNode, ClusterNode, ClusterNode, ClusterNode, ClusterNode],
        ];
        const leaks: string[] = [];
        cluster.searchLinks([ap], bytes, (way) => leaks.push(way));
        await place(ap, NS, { regions: [EU] });
        const client = new Client(first.url, NS);
        const watchers = [new Watcher(client), new Watcher(new Client(cluster.nodes[1]!.url, NS))];
        for (const watcher of watchers) cluster.atEnd(() => void watcher.stop());
        const write = async (count: number): Promise<void> => {
          for (let at = 0; at < count; at++) {
            const object = { body: { note: canary, at }, tags: { [canary]: canary } };
            const answer = await client.put(`${canary}-${at % 30}`, object, {
              'idempotency-key': `${canary}-${at}`,
            });
            expect(answer.status).toBe(200);
          }
        };
        await write(100);
        await client.remove(`${canary}-3`);
        const lease = await fetch(`${first.url}/v1/${encodeURIComponent(NS)}/lease/acquire`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ key: canary, owner: canary, ttl: 600 }),
        });
        expect(lease.status).toBe(200);
        await snapshot(first);
        await write(40);

        // It is served in its new region at once; the old snapshot holds its bytes until there is a newer one.
        const before = (await client.list('?limit=1000')).body;
        await fetch(`${ap.url}/admin/namespaces/${encodeURIComponent(NS)}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ regions: [US] }),
        });
        await until('the move', async () => (await stateOf(ap)) !== 'moving');
        expect((await new Client(us.url, NS).list('?limit=1000')).body).toEqual(before);
        expect((await client.put('x', {})).status).toBe(451);
        await until('the rows to be gone', async () => {
          const dump = await fetch(`${first.url}/admin/dump`).then((answer) => answer.text());
          return !dump.includes(canary);
        });
        expect(await stateOf(ap)).toBe('erasing');
        await snapshot(first);
        await until('nothing to be left', async () => (await stateOf(ap)) === 'active');
        for (const node of cluster.nodes) {
          const found = await filesWith(node.dataDir, bytes);
          if ([us, otherUs].includes(node)) expect(found.length).toBeGreaterThan(0);
          else expect([node.name, found]).toEqual([node.name, []]);
        }
        expect(leaks).toEqual([]);
        expect(listener.refused).toEqual(expect.arrayContaining(['>', 'agentstate.>']));
        expect(listener.heard.filter((message) => Buffer.from(message).includes(bytes))).toEqual([]);
      });
    } finally {
      await listener.close();
      for (const server of nats.values()) server.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
  TEST_TIMEOUT_MS,
);
