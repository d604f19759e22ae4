import { hash } from 'node:crypto';
import { encodeCommand } from '#codec';
import type { Applied, LogIndex, Term } from '#contracts';
import type { StateStore } from '#replication';
import { ApplyBatch, readApplied } from '#state-machine';
import type { TimedCommand } from './state-commands';

/** The digest that the server injects. */
export const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

/** A log of commands: entry `i` has index `i + 1`. Times are what the proposers' clocks said. */
export interface StateLog {
  readonly entries: readonly Uint8Array[];
  readonly timesMs: readonly number[];
}

export function encodeLog(history: readonly TimedCommand[], startMs = 1_700_000_000_000): StateLog {
  let nowMs = startMs;
  const timesMs: number[] = [];
  const entries = history.map(({ command, advanceMs }) => {
    nowMs += advanceMs;
    timesMs.push(nowMs);
    return encodeCommand(command, nowMs);
  });
  return { entries, timesMs };
}

/** Applies what the store lacks of a log, in batches whose sizes are taken in turn from `batchSizes`. */
export function replay(
  store: StateStore,
  log: StateLog,
  batchSizes: readonly number[],
  end?: number,
): Applied[] {
  const through = end ?? log.entries.length;
  const applied: Applied[] = [];
  let index: number = readApplied(store).appliedIndex;
  for (let round = 0; index < through; round++) {
    const size = batchSizes[round % batchSizes.length] ?? 1;
    const batch = new ApplyBatch(store, sha256);
    for (let count = 0; count < size && index < through; count++) {
      const entry = log.entries[index] as Uint8Array;
      applied.push(batch.apply(++index as LogIndex, 1 as Term, entry));
    }
    store.write(batch.finish());
  }
  return applied;
}
