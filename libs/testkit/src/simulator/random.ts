import type { Random } from '#replication';
import { seededRandom } from '../log-model';
import type { SimRandom } from '../sim-disk';

/**
 * One stream of chance. Each part of a simulation forks its own from the seed by name, so that what one part
 * draws does not change what another gets.
 */
export class SeededStream implements Random {
  private readonly next: SimRandom;

  constructor(private readonly seed: number) {
    this.next = seededRandom(seed);
  }

  fork(name: string): SeededStream {
    return new SeededStream(hashText(`${this.seed} ${name}`));
  }

  below(bound: number): number {
    return this.next(bound);
  }

  /** As the simulated disk wants it. */
  readonly pickBelow: SimRandom = (bound) => this.next(bound);

  between(low: number, high: number): number {
    return low + (this.next(1_000_001) / 1_000_000) * (high - low);
  }

  chance(share: number): boolean {
    return share > 0 && this.next(1_000_000) < share * 1_000_000;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('there is nothing to pick from');
    return from[this.next(from.length)] as T;
  }
}

/** FNV-1a over the characters, mixed at the end: for seeds and fingerprints, not for safety. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
