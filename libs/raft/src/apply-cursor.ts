import type { LogIndex } from '#contracts';

/**
 * How far committed entries were given to the host, and how far it has applied them. What is out and not yet
 * applied is bounded in bytes, so that a host that applies slowly does not pile up batches.
 */
export class ApplyCursor {
  /** Last index given to the host. */
  applying: LogIndex;
  private readonly batchEnds: LogIndex[] = [];
  private readonly batchSizesBytes: number[] = [];
  private outstandingBytes = 0;

  constructor(
    public applied: LogIndex,
    private readonly maxOutstandingBytes: number,
  ) {
    this.applying = applied;
  }

  /** Room for the next batch; not above 0 when the host has enough on its hands. */
  get roomBytes(): number {
    return this.maxOutstandingBytes - this.outstandingBytes;
  }

  handedOut(lastIndex: LogIndex, bytes: number): void {
    this.applying = lastIndex;
    this.batchEnds.push(lastIndex);
    this.batchSizesBytes.push(bytes);
    this.outstandingBytes += bytes;
  }

  appliedTo(index: LogIndex): void {
    if (index > this.applied) this.applied = index;
    while (this.batchEnds.length > 0 && (this.batchEnds[0] as LogIndex) <= index) {
      this.batchEnds.shift();
      this.outstandingBytes -= this.batchSizesBytes.shift() as number;
    }
  }

  /** A snapshot took the place of everything up to `index`. */
  restored(index: LogIndex): void {
    this.applied = index;
    this.applying = index;
    this.batchEnds.length = 0;
    this.batchSizesBytes.length = 0;
    this.outstandingBytes = 0;
  }
}
