/** A small generator of pseudo-random numbers (mulberry32): one seed, one run. */
export class SeededRandom {
  constructor(private state: number) {}

  /** A whole number from 0 to below `bound`. */
  readonly below = (bound: number): number => {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * bound);
  };

  chance(percent: number): boolean {
    return this.below(1000) < percent * 10;
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }
}
