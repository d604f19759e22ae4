import type { Activity } from './activity';
import type { Batch } from './batch';
import type { LogTail } from './log-tail';
import type { SegmentSupply } from './segment-supply';

/** Told about every synced batch, in plain numbers. */
export interface LogObserver {
  /** `syncSeconds` is the time of one synced write, `batchBytes` what it wrote. */
  synced(syncSeconds: number, batchBytes: number): void;
}

export interface GroupCommitOptions {
  readonly tail: LogTail;
  readonly supply: SegmentSupply;
  readonly activity: Activity;
  readonly onFatal: (error: Error) => void;
  /** Runs after the batch's own callbacks. */
  readonly onBatchDurable: () => void;
  readonly observer: LogObserver | undefined;
  readonly monotonicMs: () => number;
}

/**
 * Writes and syncs one batch at a time, while the next gathers. That no byte of a batch is written before the
 * batch before it is synced is more than pace: recovery relies on it to tell a torn tail from corruption.
 */
export class GroupCommit {
  private busy = false;
  private stopped = false;
  private durableSegmentId = 0;
  private durableOffset = 0;

  constructor(private readonly options: GroupCommitOptions) {}

  /** Whether a record at this place is known to be synced since the log was opened, or was there before. */
  isDurable(segmentId: number, offset: number): boolean {
    return (
      segmentId < this.durableSegmentId ||
      (segmentId === this.durableSegmentId && offset < this.durableOffset)
    );
  }

  /** Everything up to here was there at opening. */
  startAt(segmentId: number, offset: number): void {
    this.durableSegmentId = segmentId;
    this.durableOffset = offset;
  }

  /** Starts writing what is gathered, unless a write is under way: then that one's end does. */
  pump(): void {
    if (this.busy || this.stopped) return;
    const batch = this.options.tail.oldestBatch();
    if (batch === undefined) return;
    this.busy = true;
    if (batch.segment.file === undefined) this.options.supply.place(batch.segment, () => this.write(batch));
    else this.write(batch);
  }

  /** No callback runs from here on. */
  stop(): void {
    this.stopped = true;
  }

  private write(batch: Batch): void {
    const file = batch.segment.file;
    if (file === undefined) throw new Error('a batch was to be written to a segment without a file');
    this.options.activity.begin();
    const startMs = this.options.monotonicMs();
    file.write(batch.parts(), batch.offset, (error) => {
      if (this.stopped) return;
      if (error !== null) return this.options.onFatal(error);
      this.options.observer?.synced((this.options.monotonicMs() - startMs) / 1000, batch.bytes);
      this.done(batch);
    });
  }

  private done(batch: Batch): void {
    this.durableSegmentId = batch.segment.id;
    this.durableOffset = batch.offset + batch.bytes;
    this.options.tail.batchDone();
    this.busy = false;
    // The next batch goes to the disk before the callbacks take their time.
    this.pump();
    for (const callback of batch.callbacks) {
      if (this.stopped) return;
      callback();
    }
    this.options.onBatchDurable();
    this.options.activity.end();
  }
}
