import type { LogIndex } from '#contracts';

/**
 * The bytes of data that a leader has taken in and not committed yet. Bounded, so that a leader that has lost
 * its followers refuses work instead of growing its log. Empty entries are always let in (a new leader's first
 * entry, the end of a joint change), and so is any one proposal when nothing is waiting.
 */
export class UncommittedBytes {
  private readonly ends: LogIndex[] = [];
  private readonly sizesBytes: number[] = [];
  private head = 0;
  private totalBytes = 0;

  constructor(private readonly maxBytes: number) {}

  admits(bytes: number): boolean {
    return bytes === 0 || this.totalBytes === 0 || this.totalBytes + bytes <= this.maxBytes;
  }

  add(lastIndex: LogIndex, bytes: number): void {
    if (bytes === 0) return;
    this.ends.push(lastIndex);
    this.sizesBytes.push(bytes);
    this.totalBytes += bytes;
  }

  committedTo(index: LogIndex): void {
    while (this.head < this.ends.length && (this.ends[this.head] as LogIndex) <= index) {
      this.totalBytes -= this.sizesBytes[this.head] as number;
      this.head += 1;
    }
    if (this.head > 0 && this.head * 2 >= this.ends.length) {
      this.ends.splice(0, this.head);
      this.sizesBytes.splice(0, this.head);
      this.head = 0;
    }
  }

  reset(): void {
    this.ends.length = 0;
    this.sizesBytes.length = 0;
    this.head = 0;
    this.totalBytes = 0;
  }
}
