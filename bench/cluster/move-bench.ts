import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RawConnection, requestBytes } from '../raw-connection';
import { storeObjects } from '../store-objects';
import { requestBody, type LoadRequest } from '../workload';
import { agentstateNodes } from './agentstate-nodes';

export interface MoveBenchOptions {
  readonly rounds: number;
  readonly objects: number;
  readonly print: (line: string) => void;
}

const NS = 'agent://moves';
const WRITERS = 4;
const POLL_MS = 20;
const GOAL_MS = 2_000;

const pathOf = (ns: string): string => encodeURIComponent(ns);
const put = (key: number): LoadRequest => ({
  method: 'PUT',
  path: `/v1/${pathOf(NS)}/objects/o-${key}`,
  body: requestBody(key),
});

/**
 * How long writes wait while a namespace moves from group to group of three nodes: writers go on all the time, one
 * request after the other each, and the longest answer is what the freeze was to them.
 */
export async function moveBench({ rounds, objects, print }: MoveBenchOptions): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const system = await agentstateNodes(folder);
  try {
    const leader = await system.leader();
    const port = system.nodes[leader]?.port ?? 0;
    await storeObjects(port, objects, put);
    print(`${objects} objects of 300 bytes, three nodes, ${WRITERS} writers`);
    for (let round = 1; round <= rounds; round++) {
      // Each placement is another group: retention is part of it.
      const settings = { history_retention_seconds: 86_400 + round };
      const writers = new Writers(port);
      await writers.begin();
      const quietMs = await writers.longestWhile(() => delay(3_000));
      let movedMs = 0;
      const freezeMs = await writers.longestWhile(async () => {
        const startMs = performance.now();
        await place(port, settings);
        movedMs = performance.now() - startMs;
      });
      const moved = writers.answered;
      const sinceMs = performance.now();
      await untilErased(port);
      const erasedMs = performance.now() - sinceMs;
      writers.end();
      print(
        `move ${round}: writes waited ${freezeMs.toFixed(0)} ms at most (goal ${GOAL_MS}), ` +
          `${quietMs.toFixed(0)} ms before it; moved in ${(movedMs / 1_000).toFixed(1)} s, ` +
          `${moved} writes answered meanwhile; erased where it was ${(erasedMs / 1_000).toFixed(1)} s later`,
      );
    }
  } finally {
    await system.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writers that never pause; what is refused for the time being is sent again, and counts as waiting. */
class Writers {
  answered = 0;
  private longestMs = 0;
  private active = true;

  constructor(private readonly port: number) {}

  async begin(): Promise<void> {
    for (let lane = 0; lane < WRITERS; lane++) {
      const connection = await RawConnection.open(this.port, () => undefined);
      const request = requestBytes(put(lane));
      let sinceMs = performance.now();
      const next = (): void => {
        connection.send(request, (status) => {
          if (status === 200) {
            const nowMs = performance.now();
            this.longestMs = Math.max(this.longestMs, nowMs - sinceMs);
            sinceMs = nowMs;
            this.answered += 1;
          }
          if (this.active) next();
          else connection.close();
        });
      };
      next();
    }
  }

  /** The longest time between two answers of a writer while `work` runs, and until each was answered once more. */
  async longestWhile(work: () => Promise<void>): Promise<number> {
    this.longestMs = 0;
    this.answered = 0;
    await work();
    const { answered } = this;
    while (this.answered < answered + WRITERS) await delay(POLL_MS);
    return this.longestMs;
  }

  end(): void {
    this.active = false;
  }
}

async function place(port: number, settings: object): Promise<void> {
  const url = `http://127.0.0.1:${port}/admin/namespaces/${pathOf(NS)}`;
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  if (answer.status !== 200) throw new Error(`the settings were answered with ${answer.status}`);
  while ((await stateOf(url)) === 'moving') await delay(POLL_MS);
}

async function untilErased(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/admin/namespaces/${pathOf(NS)}`;
  while ((await stateOf(url)) !== 'active') await delay(POLL_MS);
}

async function stateOf(url: string): Promise<string> {
  return ((await (await fetch(url)).json()) as { readonly state: string }).state;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
