import { Latencies, type LatencySummary } from '../percentiles';
import type { TargetProcess } from '../target-process';
import { steadyPuts } from './steady-puts';
import { openWatchers } from './watchers';

/** Reading the times out of every watcher's events would measure this process; a part of them is enough. */
const TIMED_EACH = 10;
const SETTLE_MS = 1_000;

export interface LagOptions {
  /** Where the puts go. */
  readonly writer: TargetProcess;
  /** Where the watchers are, in turns. */
  readonly nodes: readonly TargetProcess[];
  readonly watchers: number;
  readonly putsPerSecond: number;
  readonly seconds: number;
  /**
   * Each watcher is sent the events of one of so many kinds of ids (a filter by prefix), so that an event goes to
   * `watchers / kinds` of them; 1 means that all are sent everything.
   */
  readonly kinds: number;
}

export interface Lag {
  readonly sinceSent: LatencySummary;
  readonly sinceWritten: LatencySummary;
  readonly answered: LatencySummary;
  /** Of the events of the timed watchers. */
  readonly expected: number;
}

/** How long a committed change takes to arrive at watchers, while writes go on at a steady rate. */
export async function measureLag(options: LagOptions): Promise<Lag> {
  const { writer, nodes, watchers, putsPerSecond, seconds, kinds } = options;
  const timers = { sinceSent: new Latencies(), sinceWritten: new Latencies() };
  const isTimed = (index: number): boolean => index % TIMED_EACH === 0;
  const open = await openWatchers(
    Array.from({ length: watchers }, (_, index) => ({
      port: nodes[index % nodes.length]!.port,
      query: kinds === 1 ? '' : `?prefix=object-${index % kinds}-`,
      ...(isTimed(index) && { timers }),
    })),
  );
  const answered = await steadyPuts({ port: writer.port, seconds, putsPerSecond, keys: 1_000, kinds });
  // The last events are on their way: an answer to a put may overtake its event.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  for (const watcher of open) watcher.destroy();
  const puts = answered.summary();
  let expected = 0;
  for (let index = 0; index < watchers; index += TIMED_EACH) {
    const kind = index % kinds;
    // Puts go to the kinds in turns, beginning with the first.
    expected += Math.floor(puts.count / kinds) + (kind < puts.count % kinds ? 1 : 0);
  }
  return {
    sinceSent: timers.sinceSent.summary(),
    sinceWritten: timers.sinceWritten.summary(),
    answered: puts,
    expected,
  };
}

const times = ({ p50, p95, p99 }: LatencySummary, digits: number): string =>
  `p50 ${p50.toFixed(digits)}  p95 ${p95.toFixed(digits)}  p99 ${p99.toFixed(digits)} ms`;

/** The lines that tell a measurement. */
export function lagLines(options: LagOptions, lag: Lag): readonly string[] {
  const { watchers, putsPerSecond, seconds, kinds } = options;
  const each = kinds === 1 ? '' : `, an event to ${watchers / kinds} of them`;
  return [
    `${watchers} watchers, ${putsPerSecond} puts/s for ${seconds} s${each}: ${lag.sinceSent.count} of ${lag.expected} timed events arrived`,
    `put sent to event received    ${times(lag.sinceSent, 1)}`,
    `put sent to put answered      ${times(lag.answered, 1)}`,
    `event's ts to event received  ${times(lag.sinceWritten, 0)}`,
  ];
}

/** One node: 100 watchers of everything. */
export async function measureWatchLag(server: TargetProcess, seconds: number): Promise<readonly string[]> {
  const options = { writer: server, nodes: [server], watchers: 100, putsPerSecond: 500, seconds, kinds: 1 };
  return lagLines(options, await measureLag(options));
}
