import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { agentstateNodes } from '../cluster/agentstate-nodes';
import { withCpuWork } from '../cluster/cpu-work';
import type { ThreeNodes } from '../cluster/three-nodes';
import type { LoadGenerator, LoadResult } from '../load-generator';
import type { TargetProcess } from '../target-process';
import { CONNECTIONS, forEachKey } from '../workload';
import { NATS, NATS_IS_MISSING, startNats } from './start-nats';

export interface NatsBenchOptions {
  readonly generator: LoadGenerator;
  readonly rounds: number;
  readonly seconds: number;
  readonly print: (line: string) => void;
}

/** The first seconds measure the compiler. */
const WARM_UP_SECONDS = 3;

/** What it costs writes that nobody watches that there is a NATS server: two clusters, with and without, in turns. */
export async function natsBench({ generator, rounds, seconds, print }: NatsBenchOptions): Promise<void> {
  if (NATS === undefined) return print(NATS_IS_MISSING);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const systems: ThreeNodes[] = [];
  let nats: { readonly process: TargetProcess } | undefined;
  try {
    const started = await startNats(NATS);
    nats = started;
    const without = await agentstateNodes(path.join(folder, 'without'));
    systems.push(without);
    const beside = await agentstateNodes(path.join(folder, 'with'), started.environment);
    systems.push(beside);
    const load = async (system: ThreeNodes, forSeconds: number): Promise<LoadResult> => {
      const leader = system.nodes[await system.leader()];
      if (leader === undefined) throw new Error('there is no leader');
      return generator.run({
        port: leader.port,
        requests: forEachKey(system.put),
        connections: CONNECTIONS,
        seconds: forSeconds,
      });
    };
    print(`puts by ${CONNECTIONS} connections to the leader of three nodes, nobody watches`);
    for (const system of systems) await load(system, WARM_UP_SECONDS);
    const ratios: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const rates = new Map<ThreeNodes, number>();
      for (const system of round % 2 === 0 ? systems.toReversed() : systems) {
        const name = system === beside ? 'with NATS' : 'without NATS';
        const { perSecond } = await withCpuWork(
          system,
          () => load(system, seconds),
          (line) => print(`${name}: ${line}`),
        );
        print(`${name}: ${perSecond.toFixed(0)} PUT/s`);
        rates.set(system, perSecond);
      }
      ratios.push((rates.get(beside) ?? NaN) / (rates.get(without) ?? NaN));
    }
    const median = ratios.toSorted((left, right) => left - right)[Math.floor(rounds / 2)] ?? NaN;
    const each = ratios.map((ratio) => ratio.toFixed(2)).join(', ');
    print(`PUT with NATS over without: median ${median.toFixed(2)} (${each})`);
  } finally {
    await Promise.all([...systems.map((system) => system.kill()), nats?.process.end('SIGKILL')]);
    await rm(folder, { recursive: true, force: true });
  }
}
