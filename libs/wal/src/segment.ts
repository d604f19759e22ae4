import type { DiskFile } from './disk';

/** Under this name the next segment waits, full of zeros, until it is needed. */
export const PREPARED_NAME = 'next.prepared';
/** Folder beside the segments that keeps what was cut off a torn tail. */
export const TORN_FOLDER = 'torn';

const SEGMENT_NAME = /^(\d{16})\.wal$/;

export const segmentName = (firstSequence: number): string =>
  `${String(firstSequence).padStart(16, '0')}.wal`;

/** The first sequence that a file's name promises; `undefined` when the file is no segment. */
export function segmentSequence(name: string): number | undefined {
  const match = SEGMENT_NAME.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** One file of the log, or the plan of one: a segment is filled in memory before its file is put in place. */
export interface Segment {
  /** Small number for the entry index, 1 or more, not reused while the log is open. */
  readonly id: number;
  readonly firstSequence: number;
  readonly name: string;
  file: DiskFile | undefined;
  /** Bytes taken by records so far, planned ones included. */
  usedBytes: number;
  /** Bytes of the records that some group still needs. */
  liveBytes: number;
}

/** The segments in order, oldest first, and which of their bytes are still needed. */
export class SegmentTable {
  private readonly ordered: Segment[] = [];
  private readonly byId = new Map<number, Segment>();
  private nextId = 1;
  private liveBytesTotal = 0;

  add(firstSequence: number, file: DiskFile | undefined): Segment {
    const segment: Segment = {
      id: this.nextId++,
      firstSequence,
      name: segmentName(firstSequence),
      file,
      usedBytes: 0,
      liveBytes: 0,
    };
    this.ordered.push(segment);
    this.byId.set(segment.id, segment);
    return segment;
  }

  all(): readonly Segment[] {
    return this.ordered;
  }

  oldest(): Segment | undefined {
    return this.ordered[0];
  }

  newest(): Segment | undefined {
    return this.ordered.at(-1);
  }

  get(id: number): Segment {
    const segment = this.byId.get(id);
    if (segment === undefined) throw new Error(`no segment ${id}: something pointed into a removed one`);
    return segment;
  }

  removeOldest(): void {
    const segment = this.ordered.shift();
    if (segment === undefined || segment.liveBytes !== 0)
      throw new Error('a needed segment was to be removed');
    this.byId.delete(segment.id);
  }

  liveBytes(): number {
    return this.liveBytesTotal;
  }

  addLive(id: number, bytes: number): void {
    this.get(id).liveBytes += bytes;
    this.liveBytesTotal += bytes;
  }

  dropLive(id: number, bytes: number): void {
    const segment = this.get(id);
    segment.liveBytes -= bytes;
    this.liveBytesTotal -= bytes;
    if (segment.liveBytes < 0) throw new Error(`segment ${segment.name} counts fewer needed bytes than none`);
  }
}
