import type { LoadGenerator, LoadResult } from '../load-generator';
import { storeObjects } from '../store-objects';
import { CONNECTIONS, KEYS, forEachKey } from '../workload';
import type { ThreeNodes } from './three-nodes';

export const WORKLOADS = ['PUT', 'GET', 'PUT, one client'] as const;
export type Workload = (typeof WORKLOADS)[number];

export interface ComparisonOptions {
  readonly generator: LoadGenerator;
  readonly systems: readonly ThreeNodes[];
  readonly rounds: number;
  readonly secondsPerRun: number;
  /** Makes each measured run, to read a system's counters before and after it. */
  readonly measured: (run: MeasuredRun) => Promise<LoadResult>;
}

export interface MeasuredRun {
  readonly system: ThreeNodes;
  readonly workload: Workload;
  readonly run: () => Promise<LoadResult>;
}

/** Results by workload and system, a result for each round. */
export type Results = ReadonlyMap<Workload, ReadonlyMap<ThreeNodes, readonly LoadResult[]>>;

/** The first seconds measure the compiler. */
const WARM_UP_SECONDS = 5;

/** Loads the systems' leaders in turns, in alternating order: only what one round has measured can be compared. */
export async function compareSystems(options: ComparisonOptions): Promise<Results> {
  const { systems, rounds, secondsPerRun } = options;
  const results = new Map<Workload, Map<ThreeNodes, LoadResult[]>>();
  // Reads are of objects that are there, however short the writing was.
  for (const system of systems) {
    const leader = system.nodes[await system.leader()];
    if (leader !== undefined) await storeObjects(leader.port, KEYS, system.put);
  }
  for (const workload of WORKLOADS) {
    for (const system of systems) await runLoad(options, { system, workload, seconds: WARM_UP_SECONDS });
    const ofWorkload = new Map(systems.map((system): [ThreeNodes, LoadResult[]] => [system, []]));
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? systems : [...systems].reverse();
      for (const system of order) {
        const run = (): Promise<LoadResult> => runLoad(options, { system, workload, seconds: secondsPerRun });
        ofWorkload.get(system)?.push(await options.measured({ system, workload, run }));
      }
    }
    results.set(workload, ofWorkload);
  }
  return results;
}

interface Run {
  readonly system: ThreeNodes;
  readonly workload: Workload;
  readonly seconds: number;
}

async function runLoad(
  { generator }: ComparisonOptions,
  { system, workload, seconds }: Run,
): Promise<LoadResult> {
  const leader = system.nodes[await system.leader()];
  if (leader === undefined) throw new Error(`${system.name} has no leader`);
  return generator.run({
    port: leader.port,
    requests: forEachKey(workload === 'GET' ? system.get : system.put),
    connections: workload === 'PUT, one client' ? 1 : CONNECTIONS,
    seconds,
  });
}
