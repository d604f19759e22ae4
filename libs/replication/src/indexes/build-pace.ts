/** Of what a step took, how long writes are let alone after it. */
const PAUSE_PER_STEP = 3;
/** So that a build ends however slow its steps are. */
const LONGEST_PAUSE_MS = 250;

/** How a step of a build went. */
export interface BuildStep {
  /** From its proposal until it was applied. */
  readonly tookMs: number;
  /** Entries of others that were applied meanwhile. */
  readonly others: number;
}

/**
 * Milliseconds to wait before the next step. With nothing beside it a build takes all there is. Beside writes its
 * steps, each of which holds up the loop of every replica for a while, get a quarter of the time at most, unless that
 * makes the pause longer than 250 ms.
 */
export function pauseAfter({ tookMs, others }: BuildStep): number {
  return others > 0 ? Math.min(PAUSE_PER_STEP * tookMs, LONGEST_PAUSE_MS) : 0;
}
