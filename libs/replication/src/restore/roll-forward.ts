import { commandTime } from '#codec';
import { EntryKind, type CommitSeq, type LogEntry, type LogIndex, type Term } from '#contracts';
import { ApplyBatch, readApplied, type Digest } from '#state-machine';
import type { StateStore } from '../ports';

/** How far a restored state is carried forward through the log. */
export type RollTarget =
  | { readonly kind: 'snapshot' }
  /** To the change at this position, inclusive. */
  | { readonly kind: 'seq'; readonly seq: CommitSeq }
  /** Through everything that had happened by this moment, in milliseconds since 1970. */
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'latest' };

export interface RolledState {
  readonly index: LogIndex;
  readonly term: Term;
  readonly commitSeq: CommitSeq;
  /** Time of the last command in the state. */
  readonly timeMs: number;
  readonly entries: number;
}

/** Entries that are applied as one write, and after which other work gets a turn. */
const BATCH_ENTRIES = 256;

/**
 * Applies entries, the one after the state first, until the target is reached or they end. Configuration changes are
 * passed over: whoever restores writes a configuration of its own. `onProgress` is called between two writes.
 */
export async function rollForward(options: {
  readonly store: StateStore;
  readonly digest: Digest;
  readonly entries: Iterable<LogEntry>;
  readonly target: RollTarget;
  readonly onProgress?: (entries: number) => Promise<void>;
}): Promise<RolledState> {
  const { store, digest, target, onProgress } = options;
  const iterator = options.entries[Symbol.iterator]();
  let applied = 0;
  for (let more = target.kind !== 'snapshot'; more;) {
    const before = readApplied(store);
    const batch = new ApplyBatch(store, digest);
    let timeMs = before.lastTsMs;
    let count = 0;
    for (; count < BATCH_ENTRIES; count++) {
      if (target.kind === 'seq' && batch.commitSeq >= target.seq) break;
      const next = iterator.next();
      if (next.done === true) break;
      const { index, term, kind, data } = next.value;
      const isCommand = kind === EntryKind.normal && data.length > 0;
      if (isCommand) timeMs = Math.max(timeMs, commandTime(data));
      if (target.kind === 'time' && timeMs > target.timeMs) break;
      if (isCommand) batch.apply(index, term, data);
      else batch.skip(index, term);
    }
    more = count === BATCH_ENTRIES;
    if (count > 0) store.write(batch.finish());
    applied += count;
    await onProgress?.(applied);
  }
  iterator.return?.();
  const { appliedIndex, appliedTerm, commitSeq, lastTsMs } = readApplied(store);
  return { index: appliedIndex, term: appliedTerm, commitSeq, timeMs: lastTsMs, entries: applied };
}
