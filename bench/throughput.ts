import type { LoadGenerator, LoadResult } from './load-generator';
import { median } from './percentiles';
import { storeObjects } from './store-objects';
import type { TargetProcess } from './target-process';
import { CONNECTIONS, KEYS, forEachKey, getObject, putObject } from './workload';

export interface ThroughputOptions {
  readonly generator: LoadGenerator;
  readonly bare: TargetProcess;
  readonly server: TargetProcess;
  readonly rounds: number;
  readonly secondsPerRun: number;
}

/**
 * Compares the server with the bare handler, in turns: the machine's speed drifts, so only the ratio within one
 * round means anything. The median round is reported.
 */
export async function measureThroughput(options: ThroughputOptions): Promise<readonly string[]> {
  const { generator, bare, server, rounds, secondsPerRun } = options;
  // Reads are of objects that are there, however short the writing was.
  await storeObjects(server.port, KEYS);
  const lines: string[] = [];
  for (const [method, request] of [
    ['PUT', putObject],
    ['GET', getObject],
  ] as const) {
    const requests = forEachKey(request);
    const load = (target: TargetProcess, seconds = secondsPerRun): Promise<LoadResult> =>
      generator.run({ port: target.port, requests, connections: CONNECTIONS, seconds });
    // The first seconds measure the compiler.
    await load(bare, 2);
    await load(server, 2);
    const pairs: { bare: LoadResult; server: LoadResult }[] = [];
    for (let round = 0; round < rounds; round++) {
      if (round % 2 === 0) pairs.push({ bare: await load(bare), server: await load(server) });
      else pairs.push(await reversed(load, bare, server));
    }
    lines.push(
      row(
        `${method} bare handler`,
        pairs.map((pair) => pair.bare),
      ),
      row(
        `${method} server`,
        pairs.map((pair) => pair.server),
      ),
      `${`${method} ratio`.padEnd(20)}${median(pairs.map((pair) => pair.server.perSecond / pair.bare.perSecond)).toFixed(2)} of the bare handler`,
    );
  }
  return lines;
}

async function reversed(
  load: (target: TargetProcess) => Promise<LoadResult>,
  bare: TargetProcess,
  server: TargetProcess,
): Promise<{ bare: LoadResult; server: LoadResult }> {
  const ofServer = await load(server);
  return { bare: await load(bare), server: ofServer };
}

export function row(name: string, results: readonly LoadResult[]): string {
  const of = (pick: (result: LoadResult) => number, digits: number): string =>
    median(results.map(pick)).toFixed(digits);
  const rate = of((result) => result.perSecond, 0).padStart(7);
  const times = (['p50', 'p95', 'p99'] as const).map(
    (at) => `${at} ${of(({ latency }) => latency[at], 1)} ms`,
  );
  return `${name.padEnd(20)}${rate}/s  ${times.join('  ')}`;
}
