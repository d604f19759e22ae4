import type { HardState, LogEntry, LogIndex, Term } from '#contracts';
import { entryBytes } from '../src/entry-bytes';
import type { ConfState, RaftStorage, Ready, SnapshotMetadata } from '../src/types';

/** Everything of a member that a disk would hold. */
interface DiskImage {
  readonly hardState: HardState;
  readonly floor: { readonly index: LogIndex; readonly term: Term };
  readonly floorConfState: ConfState;
  readonly entries: readonly LogEntry[];
}

type Write = Pick<Ready, 'hardState' | 'entries' | 'snapshot'> & { readonly mark: number };

/**
 * A member's log in memory, with a disk below that is behind: reads see what was written, a crash leaves what
 * was synced and as many of the writes in flight, in their order, as the caller says.
 */
export class MemoryStorage implements RaftStorage {
  private visible: DiskImage;
  private synced: DiskImage;
  private inFlight: Write[] = [];
  /** What a follower can be sent; a host would make it from its state. */
  available: SnapshotMetadata | undefined;

  constructor(initial: Omit<DiskImage, 'entries'> & { readonly entries?: readonly LogEntry[] }) {
    this.visible = { entries: [], ...initial };
    this.synced = this.visible;
    if (this.visible.floor.index > 0) this.available = floorSnapshot(this.visible);
  }

  firstIndex(): LogIndex {
    return (this.visible.floor.index + 1) as LogIndex;
  }

  lastIndex(): LogIndex {
    return (this.visible.floor.index + this.visible.entries.length) as LogIndex;
  }

  term(index: LogIndex): Term | undefined {
    const { floor, entries } = this.visible;
    return index === floor.index ? floor.term : entries[index - floor.index - 1]?.term;
  }

  entries(low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    const { floor, entries } = this.visible;
    if (low <= floor.index) throw new Error(`entry ${low} is compacted`);
    const start = low - floor.index - 1;
    const limit = high - floor.index - 1;
    let end = start;
    let left = maxBytes;
    while (end < limit && end < entries.length) {
      left -= entryBytes(entries[end] as LogEntry);
      if (left < 0 && end > start) break;
      end += 1;
    }
    return entries.slice(start, end);
  }

  snapshot(): SnapshotMetadata | undefined {
    return this.available;
  }

  get image(): DiskImage {
    return this.visible;
  }

  /** Whether this entry would be found after a crash now, itself or within a snapshot. */
  holdsDurably(index: LogIndex, term: Term): boolean {
    const { floor, entries } = this.synced;
    return index <= floor.index || entries[index - floor.index - 1]?.term === term;
  }

  get writesInFlight(): number {
    return this.inFlight.length;
  }

  /** Takes a ready's work: visible at once, durable with `sync`. */
  write(ready: Ready): void {
    if (ready.appendMark === 0) return;
    const { hardState, entries, snapshot, appendMark: mark } = ready;
    const write = { hardState, entries, snapshot, mark };
    this.visible = applyWrite(this.visible, write);
    this.inFlight.push(write);
    if (snapshot !== undefined) this.available = snapshot;
  }

  /** The oldest write in flight survives from here on: answers its mark. */
  syncOne(): number {
    const write = this.inFlight.shift();
    if (write === undefined) throw new Error('nothing is in flight');
    this.synced = applyWrite(this.synced, write);
    return write.mark;
  }

  /** Power is lost: `survivingWrites` of those in flight were on the disk all the same. */
  crash(survivingWrites: number): void {
    for (const write of this.inFlight.slice(0, survivingWrites)) this.synced = applyWrite(this.synced, write);
    this.inFlight = [];
    this.visible = this.synced;
  }

  /** Drops entries up to `index`, which the state has; the snapshot to send stands there from now on. */
  compact(index: LogIndex, confState: ConfState): void {
    const term = this.term(index);
    if (term === undefined || this.inFlight.length > 0) throw new Error(`cannot compact to ${index}`);
    const { hardState, floor, entries } = this.visible;
    this.visible = {
      hardState,
      floor: { index, term },
      floorConfState: confState,
      entries: entries.slice(index - floor.index),
    };
    this.synced = this.visible;
    if ((this.available?.index ?? 0) < index) this.available = floorSnapshot(this.visible);
  }
}

const floorSnapshot = (image: DiskImage): SnapshotMetadata => ({
  ...image.floor,
  confState: image.floorConfState,
});

function applyWrite(image: DiskImage, write: Write): DiskImage {
  let { hardState, floor, floorConfState, entries } = image;
  if (write.snapshot !== undefined) {
    floor = { index: write.snapshot.index, term: write.snapshot.term };
    floorConfState = write.snapshot.confState;
    entries = [];
  }
  if (write.hardState !== undefined) hardState = write.hardState;
  const first = write.entries[0];
  if (first !== undefined) {
    const kept = first.index - floor.index - 1;
    if (kept < 0 || kept > entries.length) throw new Error(`a gap in the log before ${first.index}`);
    entries = [...entries.slice(0, kept), ...write.entries];
  }
  return { hardState, floor, floorConfState, entries };
}
