import { spawnSync } from 'node:child_process';
import { connectionLoad } from './connection-load';
import type { LatencySummary } from './percentiles';
import type { LoadRequest } from './workload';
import { wrkLoad } from './wrk-load';

export interface LoadRun {
  readonly port: number;
  /** Sent in turn, over and over. */
  readonly requests: readonly LoadRequest[];
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly latency: LatencySummary;
}

export interface LoadGenerator {
  readonly name: string;
  /** Rejects when any answer is not 200: a rate of errors is not a rate. */
  run(run: LoadRun): Promise<LoadResult>;
}

/** wrk takes the least CPU from the server under test; where it is not installed, our own sockets do. */
export function chooseLoadGenerator(): LoadGenerator {
  const installed = spawnSync('wrk', ['--version']).error === undefined;
  return installed
    ? { name: 'wrk', run: wrkLoad }
    : { name: 'own sockets (install wrk for a cheaper one)', run: connectionLoad };
}
