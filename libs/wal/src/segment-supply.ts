import type { Activity } from './activity';
import type { Disk, DiskFile } from './disk';
import { isDiskFull } from './errors';
import { PREPARED_NAME, type Segment } from './segment';

/** Zeros are written and synced in pieces, so that a sync of the log never queues behind a whole segment. */
const PIECE_BYTES = 1024 * 1024;

export interface SegmentSupplyOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly segmentBytes: number;
  readonly activity: Activity;
  readonly onFatal: (error: Error) => void;
  /** The disk had no room for another segment. */
  readonly onDiskFull: () => void;
}

/**
 * Keeps one segment ahead: a file full of zeros, synced, under a name of its own. It makes a rotation cheap (a
 * rename), keeps `fdatasync` from having to write the file's metadata, and is the reserve that hard states
 * still fit into when the disk is full.
 */
export class SegmentSupply {
  private prepared: DiskFile | undefined;
  private preparing = false;
  private waiting: { readonly segment: Segment; readonly ready: () => void } | undefined;
  private stopped = false;
  private full = false;

  constructor(private readonly options: SegmentSupplyOptions) {}

  /** Takes over a prepared file that an earlier run left, already proven to be whole. */
  adopt(file: DiskFile): void {
    this.prepared = file;
  }

  /** The last attempt to have a segment ahead found no room. */
  get lacksRoom(): boolean {
    return this.full;
  }

  /** A batch cannot be written before there is room for a segment. */
  get isStalled(): boolean {
    return this.full && this.waiting !== undefined;
  }

  /** Puts the prepared file in the segment's place; `ready` runs once its name is durable. One at a time. */
  place(segment: Segment, ready: () => void): void {
    this.waiting = { segment, ready };
    this.prepare();
    this.putInPlace();
  }

  /** Tries to have a segment ahead: at start, and whenever room may have been made. */
  prepare(): void {
    if (this.preparing || this.stopped || this.prepared !== undefined) return;
    this.preparing = true;
    this.options.activity.begin();
    const path = `${this.options.folder}/${PREPARED_NAME}`;
    let file: DiskFile;
    try {
      file = this.options.disk.create(path, 'synced');
    } catch (error) {
      this.failed(error as Error);
      return;
    }
    this.fill(file, 0, (error) => {
      if (error === null) {
        this.preparing = false;
        this.full = false;
        if (this.stopped) file.close();
        else this.prepared = file;
        this.putInPlace();
        this.options.activity.end();
        return;
      }
      file.close();
      // What was taken is given back: others need it more than a segment that cannot be finished.
      this.options.disk.remove(path, (removeError) => this.failed(removeError ?? error));
    });
  }

  stop(): void {
    this.stopped = true;
    this.prepared?.close();
    this.prepared = undefined;
  }

  private fill(file: DiskFile, position: number, done: (error: Error | null) => void): void {
    const zeros = new Uint8Array(Math.min(PIECE_BYTES, this.options.segmentBytes - position));
    file.write([zeros], position, (writeError) => {
      if (writeError !== null) return done(writeError);
      const next = position + zeros.byteLength;
      if (next === this.options.segmentBytes) this.options.disk.syncFolder(this.options.folder, done);
      else if (this.stopped) done(null);
      else this.fill(file, next, done);
    });
  }

  private putInPlace(): void {
    const { disk, folder } = this.options;
    const file = this.prepared;
    const waiting = this.waiting;
    if (file === undefined || waiting === undefined) return;
    this.preparing = true;
    this.options.activity.begin();
    disk.rename(`${folder}/${PREPARED_NAME}`, `${folder}/${waiting.segment.name}`, (renameError) => {
      if (renameError !== null) return this.options.onFatal(renameError);
      disk.syncFolder(folder, (syncError) => {
        this.preparing = false;
        if (syncError !== null) return this.options.onFatal(syncError);
        waiting.segment.file = file;
        this.prepared = undefined;
        this.waiting = undefined;
        waiting.ready();
        this.prepare();
        this.options.activity.end();
      });
    });
  }

  private failed(error: Error): void {
    this.preparing = false;
    if (isDiskFull(error)) {
      this.full = true;
      this.options.onDiskFull();
    } else {
      this.options.onFatal(error);
    }
    this.options.activity.end();
  }
}
