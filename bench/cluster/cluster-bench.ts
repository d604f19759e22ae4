import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { LoadGenerator, LoadResult } from '../load-generator';
import { agentstateNodes } from './agentstate-nodes';
import { compareSystems } from './comparison';
import { withCpuWork } from './cpu-work';
import { etcdNodes, etcdVersion } from './etcd-nodes';
import { timeFailover } from './failover';
import { withLogWork } from './log-work';
import { comparisonTable, goalLines } from './report';
import type { ThreeNodes } from './three-nodes';

export interface ClusterBenchOptions {
  readonly generator: LoadGenerator;
  readonly rounds: number;
  readonly seconds: number;
  readonly print: (line: string) => void;
}

const FAILOVERS = 3;

/** Three nodes of this project beside three of etcd, on this machine, in turns. */
export async function clusterBench({
  generator,
  rounds,
  seconds,
  print,
}: ClusterBenchOptions): Promise<void> {
  const version = etcdVersion();
  print(version === undefined ? 'etcd is not installed (apt-get install etcd-server)' : `etcd ${version}`);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const systems: ThreeNodes[] = [];
  try {
    const ours = await agentstateNodes(folder);
    systems.push(ours);
    const theirs = version === undefined ? undefined : await etcdNodes(folder);
    if (theirs !== undefined) systems.push(theirs);
    const workLines: string[] = [];
    const results = await compareSystems({
      generator,
      systems,
      rounds,
      secondsPerRun: seconds,
      measured: async ({ system, workload, run }) => {
        const tell = (line: string): void => {
          workLines.push(`${workload}: ${system.name}: ${line}`);
        };
        const counted = (): Promise<LoadResult> => withCpuWork(system, run, tell);
        return system === ours && workload !== 'GET' ? withLogWork(ours, counted, tell) : counted();
      },
    });
    for (const line of comparisonTable(results)) print(line);
    for (const line of workLines) print(line);
    const failoversMs = new Map<ThreeNodes, number[]>();
    for (const system of systems) failoversMs.set(system, await repeatedFailovers(system));
    for (const line of goalLines({ results, ours, theirs, failoversMs })) print(line);
  } finally {
    await Promise.all(systems.map((system) => system.kill()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function repeatedFailovers(system: ThreeNodes): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < FAILOVERS; count++) times.push(await timeFailover(system));
  return times;
}
