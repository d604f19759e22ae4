import type { LogEntry } from '#contracts';

/** The newest entries of one group as they were handed in, without a gap up to the group's last one. */
export class RecentEntries {
  private items: LogEntry[] = [];
  /** Slots before this one are empty: shifting an array for each entry would copy it each time. */
  private head = 0;
  private heldBytes = 0;

  get bytes(): number {
    return this.heldBytes;
  }

  get(index: number): LogEntry | undefined {
    const first = this.items[this.head];
    return first === undefined || index < first.index
      ? undefined
      : this.items[this.head + index - first.index];
  }

  oldest(): LogEntry | undefined {
    return this.items[this.head];
  }

  /** Takes the entry as the newest; what was held from its index on is replaced. */
  push(entry: LogEntry): void {
    this.truncateFrom(entry.index);
    this.items.push(entry);
    this.heldBytes += costBytes(entry);
  }

  truncateFrom(index: number): void {
    for (let last = this.items.at(-1); this.items.length > this.head && last !== undefined;) {
      if (last.index < index) return;
      this.heldBytes -= costBytes(last);
      this.items.pop();
      last = this.items.at(-1);
    }
    this.forgetEmptySlots();
  }

  dropThrough(index: number): void {
    for (let first = this.oldest(); first !== undefined && first.index <= index; first = this.oldest()) {
      this.dropOldest();
    }
  }

  dropOldest(): void {
    const entry = this.items[this.head];
    if (entry === undefined) return;
    this.heldBytes -= costBytes(entry);
    this.head++;
    this.forgetEmptySlots();
  }

  private forgetEmptySlots(): void {
    if (this.head > 1024 ? this.head * 2 > this.items.length : this.head === this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
  }
}

/** An entry's weight in memory: its data and about what the objects around it take. */
function costBytes(entry: LogEntry): number {
  return entry.data.byteLength + 128;
}
