import { median, type LatencySummary } from '../percentiles';
import { row } from '../throughput';
import { WORKLOADS, type Results, type Workload } from './comparison';
import type { ThreeNodes } from './three-nodes';

const NAME_WIDTH = 29;

/** A table of rates and times, the median of the rounds of each. */
export function comparisonTable(results: Results): readonly string[] {
  return WORKLOADS.flatMap((workload) =>
    [...(results.get(workload) ?? [])].map(([system, ofSystem]) =>
      row(`${workload}: ${system.name}`.padEnd(NAME_WIDTH), ofSystem),
    ),
  );
}

export interface GoalFigures {
  readonly results: Results;
  readonly ours: ThreeNodes;
  /** Absent where it is not installed: then there are no ratios. */
  readonly theirs: ThreeNodes | undefined;
  /** Milliseconds from SIGKILL to the next acknowledged write, one of each repetition. */
  readonly failoversMs: ReadonlyMap<ThreeNodes, readonly number[]>;
}

/** One line for each goal: what was measured beside what is aimed at. Measured, never asserted. */
export function goalLines({ results, ours, theirs, failoversMs }: GoalFigures): readonly string[] {
  const timesOf = (workload: Workload, system: ThreeNodes, at: 'p50' | 'p99'): number =>
    median(
      (results.get(workload)?.get(system) ?? []).map(
        ({ latency }: { latency: LatencySummary }) => latency[at],
      ),
    );
  const goal = (name: string, measured: string, aim: string): string =>
    `${name.padEnd(NAME_WIDTH)}${measured.padEnd(24)}goal ${aim}`;
  const lines: string[] = [];
  if (theirs !== undefined) {
    for (const [workload, aim] of [
      ['PUT', '>= 1.2'],
      ['GET', '>= 1.0'],
    ] as const) {
      lines.push(goal(`${workload} ratio`, ratio(results, workload, ours, theirs), aim));
    }
    for (const workload of ['PUT', 'GET'] as const) {
      const [mine, other] = [timesOf(workload, ours, 'p99'), timesOf(workload, theirs, 'p99')];
      lines.push(
        goal(`${workload} p99`, `${mine.toFixed(1)} ms`, `< ${other.toFixed(1)} ms (${theirs.name})`),
      );
    }
  }
  const alone = timesOf('PUT, one client', ours, 'p50');
  lines.push(goal('PUT p50, one client', `${alone.toFixed(2)} ms`, '< 3 ms'));
  for (const [system, times] of failoversMs) {
    const seconds = times.map((ms) => (ms / 1000).toFixed(2)).join(' ');
    lines.push(goal(`SIGKILL to write: ${system.name}`, `${seconds} s`, '< 2 s'));
  }
  return lines;
}

/** Within each round, ours over theirs; the median of the rounds, and the rounds it comes from. */
function ratio(results: Results, workload: Workload, ours: ThreeNodes, theirs: ThreeNodes): string {
  const other = results.get(workload)?.get(theirs) ?? [];
  const rounds = (results.get(workload)?.get(ours) ?? []).map(
    ({ perSecond }, round) => perSecond / (other[round]?.perSecond ?? NaN),
  );
  return `${median(rounds).toFixed(2)} (${rounds.map((value) => value.toFixed(2)).join(' ')})`;
}
