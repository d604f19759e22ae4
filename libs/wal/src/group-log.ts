import type { GroupId, HardState, LogIndex, MemberId, Term } from '#contracts';
import { EntryIndex } from './entry-index';
import { RecentEntries } from './recent-entries';
import type { SegmentTable } from './segment';

/** Where a record lies. */
export interface Place {
  readonly segmentId: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * What the log holds of one group. Appending and replaying go through the same methods, record by record, so
 * that what is recovered is what was in memory. Each method drops, in the segments' count of needed bytes, what
 * its record makes obsolete.
 */
export class GroupLog {
  hardState: HardState = { term: 0 as Term, vote: 0 as MemberId, commit: 0 as LogIndex };
  floorIndex = 0;
  floorTerm = 0;
  readonly index: EntryIndex;
  readonly recent = new RecentEntries();
  private hardStatePlace: Place | undefined;
  private floorPlace: Place | undefined;

  constructor(
    readonly id: GroupId,
    private readonly segments: SegmentTable,
  ) {
    this.index = new EntryIndex((segmentId, bytes) => segments.dropLive(segmentId, bytes));
  }

  get lastIndex(): number {
    return this.index.isEmpty ? this.floorIndex : this.index.last;
  }

  setHardState(hardState: HardState, place: Place): void {
    this.hardState = hardState;
    this.hardStatePlace = this.moved(this.hardStatePlace, place);
  }

  /** Entries up to `index` are no longer needed. Also how a floor is written again further on. */
  setFloor(index: number, term: number, place: Place): void {
    this.index.dropThrough(index);
    this.recent.dropThrough(index);
    this.floorIndex = index;
    this.floorTerm = term;
    this.floorPlace = this.moved(this.floorPlace, place);
  }

  /** The group's entries are gone, the floor is all there is. */
  reset(index: number, term: number, place: Place): void {
    this.index.truncateFrom(0);
    this.recent.truncateFrom(0);
    this.setFloor(index, term, place);
  }

  putEntry(index: number, term: number, place: Place): void {
    this.index.truncateFrom(index);
    this.putCopy(index, term, place);
  }

  /** The entry is the one that was already there; only its place is new. */
  putCopy(index: number, term: number, place: Place): void {
    if (index <= this.floorIndex)
      throw new Error(`entry ${index} is at or below the floor ${this.floorIndex}`);
    this.segments.addLive(place.segmentId, place.bytes);
    this.index.put(index, term, place.segmentId, place.offset, place.bytes);
  }

  /** Nothing of the group is needed any more. */
  release(): void {
    this.index.truncateFrom(0);
    this.recent.truncateFrom(0);
    this.hardStatePlace = this.moved(this.hardStatePlace, undefined);
    this.floorPlace = this.moved(this.floorPlace, undefined);
  }

  hasHardStateIn(segmentId: number): boolean {
    return this.hardStatePlace?.segmentId === segmentId;
  }

  hasFloorIn(segmentId: number): boolean {
    return this.floorPlace?.segmentId === segmentId;
  }

  /** The first index above the floor that has no record; `undefined` for a whole log. */
  firstHole(): number | undefined {
    for (let index = this.floorIndex + 1; index <= this.lastIndex; index++) {
      if (!this.index.has(index)) return index;
    }
    return undefined;
  }

  private moved(from: Place | undefined, to: Place | undefined): Place | undefined {
    if (to !== undefined) this.segments.addLive(to.segmentId, to.bytes);
    if (from !== undefined) this.segments.dropLive(from.segmentId, from.bytes);
    return to;
  }
}
