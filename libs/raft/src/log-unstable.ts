import type { LogEntry, LogIndex, Term } from '#contracts';
import type { SnapshotMetadata } from './types';

/**
 * The tail of the log that the host has not taken over yet, and a snapshot until it is installed.
 *
 * `entries[i]` has the index `offset + i`; everything below `offset` is in the host's storage (or in the
 * snapshot). `offset` may lie below the end of the storage: then the next hand-over truncates it.
 */
export class UnstableLog {
  offset: LogIndex;
  private tail: LogEntry[] = [];
  /** Set from the moment a snapshot is accepted until the host has installed it durably. */
  snapshot: SnapshotMetadata | undefined;
  snapshotHandedOut = false;

  constructor(lastStoredIndex: LogIndex) {
    this.offset = (lastStoredIndex + 1) as LogIndex;
  }

  get lastIndex(): LogIndex {
    return (this.offset + this.tail.length - 1) as LogIndex;
  }

  get entryCount(): number {
    return this.tail.length;
  }

  term(index: LogIndex): Term | undefined {
    if (index >= this.offset) return this.tail[index - this.offset]?.term;
    return this.snapshot !== undefined && this.snapshot.index === index ? this.snapshot.term : undefined;
  }

  /** Entries `low` (inclusive) to `high` (exclusive), all of them held here. Shares the array when it is whole. */
  slice(low: LogIndex, high: LogIndex): readonly LogEntry[] {
    if (low === this.offset && high === this.offset + this.tail.length) return this.tail;
    return this.tail.slice(low - this.offset, high - this.offset);
  }

  at(index: LogIndex): LogEntry | undefined {
    return this.tail[index - this.offset];
  }

  append(entry: LogEntry): void {
    // A handed-out array is never grown: messages may share it.
    if (this.shared) this.unshare();
    this.tail.push(entry);
  }

  /**
   * Puts consecutive `entries` from their first index on, dropping whatever stood there. The caller has checked
   * that they follow on and that nothing committed is dropped.
   */
  replaceFrom(entries: readonly LogEntry[], from: number): void {
    const firstIndex = (entries[from] as LogEntry).index;
    if (firstIndex <= this.offset) {
      this.offset = firstIndex;
      this.tail = [];
      this.shared = false;
    } else if (firstIndex <= this.lastIndex) {
      this.tail = this.tail.slice(0, firstIndex - this.offset);
      this.shared = false;
    } else if (this.shared) {
      this.unshare();
    }
    for (let position = from; position < entries.length; position += 1)
      this.tail.push(entries[position] as LogEntry);
  }

  /** Marks the present array as referenced from outside: the next append copies it first. */
  share(): void {
    this.shared = true;
  }

  private shared = false;

  private unshare(): void {
    this.tail = this.tail.slice();
    this.shared = false;
  }

  /** Gives the tail away: from here on the host's storage answers for it. */
  handOut(): readonly LogEntry[] {
    const entries = this.tail;
    this.offset = (this.lastIndex + 1) as LogIndex;
    this.tail = [];
    this.shared = false;
    return entries;
  }

  restore(snapshot: SnapshotMetadata): void {
    this.offset = (snapshot.index + 1) as LogIndex;
    this.tail = [];
    this.shared = false;
    this.snapshot = snapshot;
    this.snapshotHandedOut = false;
  }

  snapshotInstalled(): void {
    this.snapshot = undefined;
    this.snapshotHandedOut = false;
  }
}
