import type { GroupId } from '#contracts';
import type { Activity } from './activity';
import type { Disk } from './disk';
import { readEntry } from './entry-reader';
import type { GroupCommit } from './group-commit';
import type { GroupLog, Place } from './group-log';
import { hardStateFields } from './hard-state';
import type { LogTail } from './log-tail';
import { RecordKind } from './record';
import type { Segment, SegmentTable } from './segment';

/** What is rewritten in one go, so that no append waits behind a whole segment. */
const REWRITE_BYTES = 1024 * 1024;
/** A segment with at most this share of needed bytes is emptied by writing them again. */
const SPARSE_SHARE = 1 / 8;

export interface CleanerOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly segments: SegmentTable;
  readonly groups: ReadonlyMap<GroupId, GroupLog>;
  readonly tail: LogTail;
  readonly commit: GroupCommit;
  readonly activity: Activity;
  readonly segmentBytes: number;
  /** No segment is to be emptied by copying much while the disk is full. */
  readonly isSpaceLow: () => boolean;
  readonly onRemoved: () => void;
  readonly onFatal: (error: Error) => void;
}

/** An entry written again, on its way to the disk. */
interface Copy {
  readonly group: GroupLog;
  readonly index: number;
  readonly term: number;
  /** Where it stands in the old segment. */
  readonly offset: number;
  readonly place: Place;
}

/**
 * Removes segments that no group needs, oldest first, and empties the oldest one when little in it is needed.
 * A segment goes in three steps, each durable before the next: what makes its records obsolete, a trim record
 * that says it may be missing, the removal of its name.
 */
export class Cleaner {
  private busy = false;
  private stopped = false;
  private emptiedBelow = 0;
  private readonly idle: (() => void)[] = [];

  constructor(private readonly options: CleanerOptions) {}

  stop(): void {
    this.stopped = true;
  }

  /** Segments that begin before this sequence are to go, however much in them is needed: it is written again. */
  emptyBelow(sequence: number): void {
    this.emptiedBelow = Math.max(this.emptiedBelow, sequence);
  }

  /** Runs `callback` once there is nothing to remove or to empty; never after {@link stop}. */
  whenIdle(callback: () => void): void {
    this.idle.push(callback);
    this.step();
  }

  /** Does the next piece of work, if there is any and none is under way. Cheap when there is none. */
  step(): void {
    if (this.busy || this.stopped) return;
    this.next();
    if (!this.busy && !this.stopped) for (const callback of this.idle.splice(0)) callback();
  }

  private next(): void {
    const { segments, tail, commit } = this.options;
    const oldest = segments.oldest();
    if (oldest === undefined || oldest === segments.newest()) return;
    if (oldest.firstSequence < tail.trimmedBelow) return this.removeTrimmed();
    let copies: readonly Copy[] = [];
    if (oldest.liveBytes === 0) {
      tail.trimmedBelow = this.firstNeededSequence();
      tail.put({ kind: RecordKind.trim, group: 0, term: 0, index: tail.trimmedBelow });
    } else if (this.isWorthRewriting(oldest)) {
      const rewritten = this.tryRewriting(oldest);
      if (rewritten === undefined) return;
      copies = rewritten;
    } else {
      return;
    }
    this.busy = true;
    tail.whenDurable(() => {
      for (const copy of copies) this.adopt(copy, oldest);
      this.busy = false;
      this.step();
    });
    commit.pump();
  }

  private firstNeededSequence(): number {
    const { segments } = this.options;
    const all = segments.all();
    const needed = all.find((segment) => segment.liveBytes > 0 || segment === segments.newest());
    if (needed === undefined) throw new Error('a log without segments has nothing to trim');
    return needed.firstSequence;
  }

  /** Either little is lost by copying, or more than half of the log (and two segments) is garbage behind it. */
  private isWorthRewriting(oldest: Segment): boolean {
    const { segments, segmentBytes } = this.options;
    if (oldest.liveBytes <= segmentBytes * SPARSE_SHARE) return true;
    if (oldest.firstSequence < this.emptiedBelow) return !this.options.isSpaceLow();
    let usedBytes = 0;
    for (const segment of segments.all()) usedBytes += segment.usedBytes;
    return !this.options.isSpaceLow() && usedBytes > 2 * segments.liveBytes() + 2 * segmentBytes;
  }

  /** `undefined` when the segment is damaged: nobody waits for this work, so that is told as a failed disk is. */
  private tryRewriting(oldest: Segment): readonly Copy[] | undefined {
    try {
      return this.rewriteFrom(oldest);
    } catch (error) {
      this.stop();
      this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }

  private rewriteFrom(oldest: Segment): Copy[] {
    const { groups, segments, tail } = this.options;
    const copies: Copy[] = [];
    let bytes = 0;
    for (const group of groups.values()) {
      const id = group.id;
      if (group.hasFloorIn(oldest.id)) {
        const { floorIndex: index, floorTerm: term } = group;
        group.setFloor(index, term, tail.put({ kind: RecordKind.floor, group: id, term, index }));
      }
      if (group.hasHardStateIn(oldest.id)) {
        group.setHardState(group.hardState, tail.put(hardStateFields(id, group.hardState)));
      }
      for (let index = group.floorIndex + 1; index <= group.lastIndex && bytes < REWRITE_BYTES; index++) {
        if (group.index.segmentId(index) !== oldest.id) continue;
        const entry = readEntry(segments, group, index);
        const { term, kind: entryKind, data: payload } = entry;
        const place = tail.put({ kind: RecordKind.copy, group: id, term, index, entryKind, payload });
        copies.push({ group, index, term, offset: group.index.offset(index), place });
        bytes += place.bytes;
      }
    }
    return copies;
  }

  /** Until it is durable a copy cannot be read back, so only then does the entry move; if it is still there. */
  private adopt({ group, index, term, offset, place }: Copy, from: Segment): void {
    const isThere =
      group.index.has(index) &&
      group.index.segmentId(index) === from.id &&
      group.index.offset(index) === offset;
    if (isThere) group.putCopy(index, term, place);
  }

  private removeTrimmed(): void {
    const { activity, disk, folder, segments, onFatal } = this.options;
    const oldest = segments.oldest();
    if (oldest === undefined) return;
    this.busy = true;
    activity.begin();
    disk.remove(`${folder}/${oldest.name}`, (removeError) => {
      if (removeError !== null) return onFatal(removeError);
      // One name at a time: removals that overtake each other in a crash would leave a hole.
      disk.syncFolder(folder, (syncError) => {
        if (syncError !== null) return onFatal(syncError);
        oldest.file?.close();
        segments.removeOldest();
        this.busy = false;
        this.options.onRemoved();
        this.step();
        activity.end();
      });
    });
  }
}
