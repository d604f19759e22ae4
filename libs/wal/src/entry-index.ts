/** Told about every record that an index no longer points to. */
export type OnDropped = (segmentId: number, bytes: number) => void;

const SMALLEST_CAPACITY = 16;

/**
 * Where one group's entries lie: 20 bytes an entry, in flat arrays, from `first` to `last`. While a log is
 * replayed there may be holes (segment id 0), because entries that were written again stand out of order.
 */
export class EntryIndex {
  private segmentIds = new Uint32Array(SMALLEST_CAPACITY);
  private offsets = new Uint32Array(SMALLEST_CAPACITY);
  private sizes = new Uint32Array(SMALLEST_CAPACITY);
  private terms = new Float64Array(SMALLEST_CAPACITY);
  private start = 0;
  private count = 0;
  private firstIndex = 1;

  constructor(private readonly onDropped: OnDropped) {}

  /** Meaningless while {@link isEmpty}. */
  get first(): number {
    return this.firstIndex;
  }

  get last(): number {
    return this.firstIndex + this.count - 1;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  has(index: number): boolean {
    return index >= this.firstIndex && index <= this.last && this.segmentIds[this.slot(index)] !== 0;
  }

  segmentId(index: number): number {
    return this.segmentIds[this.slot(index)] as number;
  }

  offset(index: number): number {
    return this.offsets[this.slot(index)] as number;
  }

  bytes(index: number): number {
    return this.sizes[this.slot(index)] as number;
  }

  term(index: number): number {
    return this.terms[this.slot(index)] as number;
  }

  /** Sets one entry's place; an earlier place of the same index is dropped. Indexes in between become holes. */
  put(index: number, term: number, segmentId: number, offset: number, bytes: number): void {
    if (this.count === 0) {
      this.start = 0;
      this.firstIndex = index;
    }
    if (index < this.firstIndex) this.growFront(this.firstIndex - index);
    else if (index > this.last) this.growBack(index - this.last);
    const slot = this.slot(index);
    const before = this.segmentIds[slot] as number;
    if (before !== 0) this.onDropped(before, this.sizes[slot] as number);
    this.segmentIds[slot] = segmentId;
    this.offsets[slot] = offset;
    this.sizes[slot] = bytes;
    this.terms[slot] = term;
  }

  /** Drops `index` and everything after it. */
  truncateFrom(index: number): void {
    if (this.count === 0 || index > this.last) return;
    const keep = Math.max(0, index - this.firstIndex);
    this.dropSlots(this.start + keep, this.start + this.count);
    this.count = keep;
  }

  /** Drops `index` and everything before it. */
  dropThrough(index: number): void {
    if (this.count === 0 || index < this.firstIndex) return;
    const drop = Math.min(this.count, index - this.firstIndex + 1);
    this.dropSlots(this.start, this.start + drop);
    this.start += drop;
    this.count -= drop;
    this.firstIndex += drop;
    if (this.segmentIds.length > SMALLEST_CAPACITY * 4 && this.count * 4 < this.segmentIds.length) {
      this.resize(this.count * 2, 0);
    }
  }

  private slot(index: number): number {
    return this.start + index - this.firstIndex;
  }

  private dropSlots(from: number, to: number): void {
    // Neighbours mostly share a segment: one call for a run, not for an entry.
    let runSegmentId = 0;
    let runBytes = 0;
    for (let slot = from; slot < to; slot++) {
      const segmentId = this.segmentIds[slot] as number;
      if (segmentId !== runSegmentId) {
        if (runSegmentId !== 0) this.onDropped(runSegmentId, runBytes);
        runSegmentId = segmentId;
        runBytes = 0;
      }
      runBytes += this.sizes[slot] as number;
      this.segmentIds[slot] = 0;
      this.sizes[slot] = 0;
    }
    if (runSegmentId !== 0) this.onDropped(runSegmentId, runBytes);
  }

  private growBack(slots: number): void {
    const needed = this.count + slots;
    if (this.start + needed > this.segmentIds.length) this.resize(needed * 2, 0);
    this.count = needed;
  }

  private growFront(slots: number): void {
    if (slots > this.start) this.resize((this.count + slots) * 2, this.count + slots);
    this.start -= slots;
    this.count += slots;
    this.firstIndex -= slots;
  }

  private resize(capacityWanted: number, start: number): void {
    const capacity = Math.max(SMALLEST_CAPACITY, capacityWanted + start);
    const end = this.start + this.count;
    const moved = <Values extends Uint32Array | Float64Array>(from: Values, to: Values): Values => {
      to.set(from.subarray(this.start, end), start);
      return to;
    };
    this.segmentIds = moved(this.segmentIds, new Uint32Array(capacity));
    this.offsets = moved(this.offsets, new Uint32Array(capacity));
    this.sizes = moved(this.sizes, new Uint32Array(capacity));
    this.terms = moved(this.terms, new Float64Array(capacity));
    this.start = start;
  }
}
