import type { LogIndex } from '#contracts';

/**
 * The append messages on their way to one follower: a ring of their last indexes and sizes. Bounds the
 * pipeline by count and by bytes (Raft dissertation, section 10.2.1), so that a slow follower cannot make the
 * leader queue without end. The last message may overshoot the byte bound: the bound is checked before it.
 */
export class Inflights {
  private readonly lastIndexes: number[] = [];
  private readonly sizesBytes: number[] = [];
  private head = 0;
  private totalBytes = 0;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  get count(): number {
    return this.lastIndexes.length - this.head;
  }

  get bytes(): number {
    return this.totalBytes;
  }

  isFull(): boolean {
    return this.count >= this.maxMessages || this.totalBytes >= this.maxBytes;
  }

  /** Notes a message that ends at `lastIndex`; indexes are given in ascending order. */
  add(lastIndex: LogIndex, bytes: number): void {
    this.lastIndexes.push(lastIndex);
    this.sizesBytes.push(bytes);
    this.totalBytes += bytes;
  }

  /** Frees every message that ends at or below an acknowledged `index`. */
  freeTo(index: LogIndex): void {
    while (this.head < this.lastIndexes.length && (this.lastIndexes[this.head] as number) <= index) {
      this.totalBytes -= this.sizesBytes[this.head] as number;
      this.head += 1;
    }
    // Compacting when half is free keeps the cost per message constant.
    if (this.head > 0 && this.head * 2 >= this.lastIndexes.length) {
      this.lastIndexes.splice(0, this.head);
      this.sizesBytes.splice(0, this.head);
      this.head = 0;
    }
  }

  reset(): void {
    this.lastIndexes.length = 0;
    this.sizesBytes.length = 0;
    this.head = 0;
    this.totalBytes = 0;
  }
}
