import type { GroupId, LogEntry, LogIndex, Term } from '#contracts';
import type { LogGroupState, LogSegment, LogStats, LogStore, LogWrite } from '#replication';

export interface LogWatcher {
  /** Before the log takes the writes. */
  appending(writes: readonly LogWrite[]): void;
  /** The oldest append that was not durable is. */
  durable(): void;
  forgetting(group: GroupId): void;
}

/** The real log, with somebody looking at what goes in and what it says is durable. */
export class WatchedLog implements LogStore {
  constructor(
    private readonly inner: LogStore,
    private readonly watcher: LogWatcher,
    /** A mistake to plant: what the log is really given. */
    private readonly alter: (write: LogWrite) => LogWrite,
  ) {}

  append(writes: readonly LogWrite[], onDurable: () => void): void {
    this.watcher.appending(writes);
    this.inner.append(writes.map(this.alter), () => {
      this.watcher.durable();
      onDurable();
    });
  }

  groups(): readonly GroupId[] {
    return this.inner.groups();
  }

  state(group: GroupId): LogGroupState | undefined {
    return this.inner.state(group);
  }

  term(group: GroupId, index: LogIndex): Term | undefined {
    return this.inner.term(group, index);
  }

  entries(group: GroupId, low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    return this.inner.entries(group, low, high, maxBytes);
  }

  compact(group: GroupId, index: LogIndex): void {
    this.inner.compact(group, index);
  }

  forget(group: GroupId): void {
    this.watcher.forgetting(group);
    this.inner.forget(group);
  }

  space(): 'ok' | 'low' {
    return this.inner.space();
  }

  stats(): LogStats {
    return this.inner.stats();
  }

  segments(): readonly LogSegment[] {
    return this.inner.segments();
  }

  reclaim(): Promise<readonly LogSegment[]> {
    return this.inner.reclaim();
  }

  get holdsForgotten(): boolean {
    return this.inner.holdsForgotten;
  }

  get holdsAside(): boolean {
    return this.inner.holdsAside;
  }

  purge(): Promise<boolean> {
    return this.inner.purge();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
