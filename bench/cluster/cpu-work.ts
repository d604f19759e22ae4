import type { LoadResult } from '../load-generator';
import type { ThreeNodes } from './three-nodes';

/**
 * Tells what a request of a run took of each node's processor time: where cores are shared, this says more about what
 * a system costs than its rate does, and it hardly depends on what else the machine is doing.
 */
export async function withCpuWork(
  system: ThreeNodes,
  run: () => Promise<LoadResult>,
  tell: (line: string) => void,
): Promise<LoadResult> {
  const leader = await system.leader();
  const before = system.nodes.map((node) => node.cpuMs());
  const result = await run();
  const micros = system.nodes.map(
    (node, at) => ((node.cpuMs() - (before[at] ?? NaN)) * 1000) / result.latency.count,
  );
  const parts = micros.map((value, at) => `${at === leader ? 'leader' : 'follower'} ${value.toFixed(0)} µs`);
  tell(`${parts.join(', ')} of CPU a request`);
  return result;
}
