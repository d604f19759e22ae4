/** Shared by all configurations of a history without unknown outcomes. */
const NOTHING_UNKNOWN: readonly Uint32Array[] = [new Uint32Array(0)];

/** A configuration seen before; those of equal hash are chained. */
interface Visited<State> {
  /** The first word that is not all ones: everything before it is linearized. */
  readonly lowWord: number;
  readonly word: number;
  /** The words after the first; absent when there is one word, which is nearly always. */
  readonly moreWords: Uint32Array | undefined;
  readonly state: State;
  /** Which operations of unknown outcome had been placed, smallest sets only. */
  placedUnknown: readonly Uint32Array[];
  readonly chained: Visited<State> | undefined;
}

/**
 * What has been linearized now, and every combination of "linearized so far" and state that the search has been
 * in (Lowe's memoisation). The search need not enter one twice.
 *
 * Operations of unknown outcome need not be placed at all, so a configuration that placed more of them than another,
 * with the same completed operations and the same state, can do nothing that the other cannot: it counts as
 * visited too. This is what keeps histories with many timeouts tractable.
 */
export class VisitedConfigurations<State> {
  private readonly visited = new Map<number, Visited<State>>();
  private readonly completed: Uint32Array;
  private readonly unknown: Uint32Array;
  private lowWord = 0;
  private highWord = 0;
  private completedHash = 0;
  count = 0;

  constructor(
    private readonly completedCount: number,
    unknownCount: number,
    private readonly model: { covers(state: State, other: State): boolean; hash(state: State): number },
  ) {
    this.completed = new Uint32Array((completedCount >>> 5) + 1);
    this.unknown = new Uint32Array((unknownCount + 31) >>> 5);
  }

  /** Turns one operation from not linearized to linearized, or back. */
  toggle(rank: number): void {
    if (rank >= this.completedCount) {
      const bit = rank - this.completedCount;
      this.unknown[bit >>> 5]! ^= 1 << (bit & 31);
      return;
    }
    const word = rank >>> 5;
    this.completed[word]! ^= 1 << (rank & 31);
    this.completedHash ^= mix(rank);
    if (word < this.lowWord) this.lowWord = word;
    if (word > this.highWord) this.highWord = word;
    while (this.lowWord < this.completed.length - 1 && this.completed[this.lowWord] === 0xffff_ffff)
      this.lowWord++;
    while (this.highWord > this.lowWord && this.completed[this.highWord] === 0) this.highWord--;
    if (this.highWord < this.lowWord) this.highWord = this.lowWord;
  }

  /** Whether the operation of unknown outcome of this number, from 0, is placed. */
  hasUnknown(number: number): boolean {
    return (this.unknown[number >>> 5]! & (1 << (number & 31))) !== 0;
  }

  /** Notes the present configuration with this state. False when it, or one that can do all it can, was noted. */
  visit(state: State): boolean {
    const hash = this.completedHash ^ mix(this.model.hash(state));
    const head = this.visited.get(hash);
    for (let entry = head; entry; entry = entry.chained) {
      if (!this.isPresent(entry) || !this.model.covers(entry.state, state)) continue;
      if (entry.placedUnknown.some((placed) => isSubset(placed, this.unknown))) return false;
      if (!this.model.covers(state, entry.state)) continue;
      const incomparable = entry.placedUnknown.filter((placed) => !isSubset(this.unknown, placed));
      entry.placedUnknown = [...incomparable, this.unknown.slice()];
      this.count++;
      return true;
    }
    this.visited.set(hash, {
      lowWord: this.lowWord,
      word: this.completed[this.lowWord]!,
      moreWords:
        this.highWord > this.lowWord ? this.completed.slice(this.lowWord + 1, this.highWord + 1) : undefined,
      state,
      placedUnknown: this.unknown.length === 0 ? NOTHING_UNKNOWN : [this.unknown.slice()],
      chained: head,
    });
    this.count++;
    return true;
  }

  private isPresent({ lowWord, word, moreWords }: Visited<State>): boolean {
    if (lowWord !== this.lowWord || word !== this.completed[lowWord]) return false;
    if ((moreWords?.length ?? 0) !== this.highWord - lowWord) return false;
    return !moreWords || moreWords.every((value, at) => value === this.completed[lowWord + 1 + at]);
  }
}

function isSubset(small: Uint32Array, large: Uint32Array): boolean {
  for (let at = 0; at < small.length; at++) if ((small[at]! & ~large[at]!) !== 0) return false;
  return true;
}

/** Spreads a number over 32 bits (the finalizer of MurmurHash3), so that the exclusive or of many seldom collides. */
function mix(value: number): number {
  let hash = (value + 0x9e37_79b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
