import type { HardState, LogEntry, LogIndex, Term } from '#contracts';
import { Durability } from './durability';
import { entryBytes } from './entry-bytes';
import { LostEntries, type InvariantReporter } from './invariant';
import { UnstableLog } from './log-unstable';
import type { RaftStorage, RestoredState, SnapshotMetadata } from './types';

const NO_ENTRIES: readonly LogEntry[] = [];

export interface EntryId {
  readonly index: LogIndex;
  readonly term: Term;
}

/**
 * One member's log: the host's storage below, the tail not yet handed over above, and the cursors into it.
 *
 * Invariants: `applied <= committed <= lastIndex`; nothing at or below `committed` is ever replaced; an entry is
 * durable at most up to `durability.index`, which never passes an entry that was replaced and not synced since.
 */
export class RaftLog {
  committed: LogIndex;
  readonly unstable: UnstableLog;
  readonly durability: Durability;

  constructor(
    private readonly storage: RaftStorage,
    restored: RestoredState,
    private readonly broken: InvariantReporter,
    /** Planted bug `forgetTruncation`: replaced entries go on counting as durable. */
    private readonly forgetTruncation: boolean,
  ) {
    const lastIndex = storage.lastIndex();
    const floor = (storage.firstIndex() - 1) as LogIndex;
    this.unstable = new UnstableLog(lastIndex);
    this.durability = new Durability(restored.hardState, lastIndex);
    // The stored commit index lags, and may run ahead of a log whose tail was torn off: it is a hint between
    // what is applied for certain and what is there.
    const hint = Math.min(restored.hardState.commit, lastIndex);
    this.committed = Math.max(hint, restored.applied, floor) as LogIndex;
    if (restored.applied > lastIndex)
      broken(`the state has applied ${restored.applied}, beyond the end of the log at ${lastIndex}`);
    if (restored.applied < floor)
      broken(`the state has applied ${restored.applied}, the log begins after ${floor}`);
  }

  get firstIndex(): LogIndex {
    const { snapshot } = this.unstable;
    return snapshot === undefined ? this.storage.firstIndex() : ((snapshot.index + 1) as LogIndex);
  }

  get lastIndex(): LogIndex {
    return this.unstable.lastIndex;
  }

  /** The term of an entry or of the floor; `undefined` when compacted or not there. */
  term(index: LogIndex): Term | undefined {
    if (index >= this.unstable.offset || this.unstable.snapshot !== undefined)
      return this.unstable.term(index);
    return this.storage.term(index);
  }

  last(): EntryId {
    const index = this.lastIndex;
    const term = this.term(index);
    if (term === undefined) return this.broken(`no term for the last entry, ${index}`);
    return { index, term };
  }

  matches(id: EntryId): boolean {
    return this.term(id.index) === id.term;
  }

  /** Whether a candidate's log is at least as complete as this one (Raft dissertation, section 3.6.1). */
  isUpToDate(candidate: EntryId): boolean {
    const own = this.last();
    return candidate.term > own.term || (candidate.term === own.term && candidate.index >= own.index);
  }

  /** Appends one entry of the leader's own. */
  appendOwn(entry: LogEntry): void {
    if (entry.index !== this.lastIndex + 1) this.broken(`append of ${entry.index} after ${this.lastIndex}`);
    this.unstable.append(entry);
  }

  /**
   * A follower's append after `previous` (section 3.5). Answers the last index that now agrees with the
   * leader's log, or `undefined` when `previous` does not match.
   */
  maybeAppend(previous: EntryId, entries: readonly LogEntry[], leaderCommit: LogIndex): LogIndex | undefined {
    if (!this.matches(previous)) return undefined;
    const lastNewIndex = (previous.index + entries.length) as LogIndex;
    const from = this.findConflict(entries);
    if (from < entries.length) this.replaceFrom(entries, from);
    this.commitTo(Math.min(leaderCommit, lastNewIndex) as LogIndex);
    return lastNewIndex;
  }

  /** Position of the first entry that is missing here or differs; `entries.length` for none. */
  private findConflict(entries: readonly LogEntry[]): number {
    const first = entries[0];
    if (first === undefined || first.index > this.lastIndex) return 0;
    let position = 0;
    while (position < entries.length && this.matches(entries[position] as LogEntry)) position += 1;
    return position;
  }

  private replaceFrom(entries: readonly LogEntry[], from: number): void {
    const { index } = entries[from] as LogEntry;
    if (index <= this.committed)
      this.broken(`entry ${index} conflicts with a committed one (committed ${this.committed})`);
    if (index > this.lastIndex + 1) this.broken(`append of ${index} after ${this.lastIndex}`);
    if (index < this.unstable.offset && !this.forgetTruncation) this.durability.truncatedFrom(index);
    this.unstable.replaceFrom(entries, from);
  }

  /**
   * The highest index at or below `index` at which this log might agree with one that has `term` at `index`:
   * terms only grow along a log, so everything with a higher term is out of the question. Skips a whole term
   * at a time on either side. The term is 0 where it is not known any more.
   */
  findConflictByTerm(index: LogIndex, term: Term): EntryId {
    for (let candidate = index; candidate > 0; candidate = (candidate - 1) as LogIndex) {
      const own = this.term(candidate);
      if (own === undefined) return { index: candidate, term: 0 as Term };
      if (own <= term) return { index: candidate, term: own };
    }
    return { index: 0 as LogIndex, term: 0 as Term };
  }

  commitTo(index: LogIndex): void {
    if (index <= this.committed) return;
    if (index > this.lastIndex)
      // A leader tells no more than this member has acknowledged, or sent it along.
      this.broken(
        `entry ${index} was acknowledged here, and the log ends at ${this.lastIndex}: a part of it was lost`,
        LostEntries,
      );
    this.committed = index;
  }

  /** Entries from `low` up to `high` (exclusive): at least one if there is any, then as many as fit. */
  entries(low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    if (low >= high) return NO_ENTRIES;
    const { offset } = this.unstable;
    if (low >= offset) return this.unstableEntries(low, high, maxBytes);
    const storedHigh = Math.min(high, offset) as LogIndex;
    const stored = this.storage.entries(low, storedHigh, maxBytes);
    if (storedHigh === high || stored.length < storedHigh - low) return stored;
    let left = maxBytes;
    for (const entry of stored) left -= entryBytes(entry);
    const next = this.unstable.at(offset);
    if (next === undefined || entryBytes(next) > left) return stored;
    return [...stored, ...this.unstableEntries(offset, high, left)];
  }

  private unstableEntries(low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    let end = low;
    let left = maxBytes;
    while (end < high) {
      left -= entryBytes(this.unstable.at(end) as LogEntry);
      if (left < 0 && end > low) break;
      end = (end + 1) as LogIndex;
    }
    const slice = this.unstable.slice(low, end);
    if (slice.length === this.unstable.entryCount) this.unstable.share();
    return slice;
  }

  /** Accepts a snapshot in place of the whole log (section 5.1). */
  restore(snapshot: SnapshotMetadata): void {
    this.durability.truncatedFrom(1 as LogIndex);
    this.unstable.restore(snapshot);
    this.committed = snapshot.index;
  }

  snapshot(): SnapshotMetadata | undefined {
    return this.unstable.snapshot ?? this.storage.snapshot();
  }

  /** Whether what is waiting may be handed over: nothing follows a snapshot until it is installed. */
  canHandOut(): boolean {
    return !this.unstable.snapshotHandedOut;
  }

  hasUnstable(): boolean {
    return this.unstable.entryCount > 0 || this.unstable.snapshot !== undefined;
  }

  /** Gives the tail and the snapshot to the host, under a mark. */
  handOut(hardState: HardState | undefined): {
    readonly mark: number;
    readonly entries: readonly LogEntry[];
    readonly snapshot: SnapshotMetadata | undefined;
  } {
    const { snapshot } = this.unstable;
    if (snapshot === undefined) {
      const entries = this.unstable.handOut();
      return {
        mark: this.durability.handedOut(this.lastIndex, hardState, 0 as LogIndex),
        entries,
        snapshot,
      };
    }
    this.unstable.snapshotHandedOut = true;
    const mark = this.durability.handedOut(snapshot.index, hardState, snapshot.index);
    return { mark, entries: NO_ENTRIES, snapshot };
  }
}
