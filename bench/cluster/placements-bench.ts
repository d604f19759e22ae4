import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { connectionLoad } from '../connection-load';
import type { LoadResult } from '../load-generator';
import { CONNECTIONS, requestBody, type LoadRequest } from '../workload';
import { agentstateNodes } from './agentstate-nodes';

export interface PlacementsBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly print: (line: string) => void;
}

const KEYS = 10_000;
const POLL_MS = 50;
/** Each is another placement, and so another group: retention is part of it. */
const NAMESPACES = [1, 2, 3].map((at) => ({ ns: `agent://placed-${at}`, seconds: 86_400 + at }));

interface ClusterView {
  readonly groups: readonly { readonly group_id: number; readonly leader: string | null }[];
}

const requestsIn = (ns: string): LoadRequest[] =>
  Array.from({ length: KEYS }, (_, key) => ({
    method: 'PUT' as const,
    path: `/v1/${encodeURIComponent(ns)}/objects/o-${key}`,
    body: requestBody(key),
  }));

/**
 * Writes to groups that different nodes lead do not wait for each other: all of the load on the leader of one group,
 * beside a third of it on the leaders of three.
 */
export async function placementsBench({ rounds, seconds, print }: PlacementsBenchOptions): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const system = await agentstateNodes(folder);
  try {
    await system.leader();
    const ports = system.nodes.map(({ port }) => port);
    const first = ports[0] ?? 0;
    const groups: number[] = [];
    for (const { ns, seconds: history_retention_seconds } of NAMESPACES) {
      groups.push(await place(first, ns, { history_retention_seconds }));
    }
    await spread(first, groups);
    print(`three groups, each led by another node; ${CONNECTIONS} connections in all, ${seconds} s a run`);
    const ratios: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const load = (at: number, connections: number): Promise<LoadResult> =>
        connectionLoad({
          port: ports[at] ?? 0,
          requests: requestsIn(NAMESPACES[at]?.ns ?? ''),
          connections,
          seconds,
        });
      const one = await load(0, CONNECTIONS);
      const three = await Promise.all([0, 1, 2].map((at) => load(at, Math.round(CONNECTIONS / 3))));
      const total = three.reduce((sum, { perSecond }) => sum + perSecond, 0);
      ratios.push(total / one.perSecond);
      print(
        `round ${round}: one group ${one.perSecond.toFixed(0)} PUT/s, three groups ${total.toFixed(0)} PUT/s, ` +
          `ratio ${(total / one.perSecond).toFixed(2)} (goal at least 1)`,
      );
    }
    const median = ratios.sort((left, right) => left - right)[Math.floor(ratios.length / 2)] ?? 0;
    print(`median ratio ${median.toFixed(2)}`);
  } finally {
    await system.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function place(port: number, ns: string, settings: object): Promise<number> {
  const url = `http://127.0.0.1:${port}/admin/namespaces/${encodeURIComponent(ns)}`;
  const send = (): Promise<Response> =>
    fetch(url, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
  while ((await send()).status !== 200) await delay(POLL_MS);
  for (;;) {
    const answer = (await (await fetch(url)).json()) as { readonly state: string; readonly group_id: number };
    if (answer.state === 'active') return answer.group_id;
    await delay(POLL_MS);
  }
}

/** Lets node 1 lead the first group, node 2 the second, and node 3 the third. */
async function spread(port: number, groups: readonly number[]): Promise<void> {
  for (;;) {
    const view = (await (await fetch(`http://127.0.0.1:${port}/admin/cluster`)).json()) as ClusterView;
    const wrong = groups.filter((group, at) => {
      return view.groups.find(({ group_id: id }) => id === group)?.leader !== `node-${at + 1}`;
    });
    if (wrong.length === 0) return;
    for (const group of wrong) {
      await fetch(`http://127.0.0.1:${port}/admin/cluster/transfer-leader`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ group_id: group, node_id: `node-${groups.indexOf(group) + 1}` }),
      });
    }
    await delay(10 * POLL_MS);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
