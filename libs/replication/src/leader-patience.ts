import { StateError } from '#contracts';
import type { Clock } from './ports';
import { isMoved } from './refusals';

/** How soon a group is asked again whether it has a leader, in milliseconds. */
const LOOK_AGAIN_MS = 25;

/**
 * Runs a request again for as long as nobody leads its group, or whoever does has yet to learn what was decided before,
 * at most `patienceMs` from the first refusal on; then it rejects as the request last did. Both refusals mean that
 * nothing happened, so that running it again is safe. Whoever is patient does not notice an election.
 */
export async function whileLeaderless<Answer>(
  clock: Pick<Clock, 'monotonicMs' | 'after'>,
  patienceMs: number,
  request: () => Promise<Answer>,
): Promise<Answer> {
  let untilMs: number | undefined;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!isLeaderless(error) && !isMoved(error)) throw error;
      untilMs ??= clock.monotonicMs() + patienceMs;
      if (clock.monotonicMs() + LOOK_AGAIN_MS > untilMs) throw error;
    }
    await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
  }
}

/** Whether a request was refused because nobody leads its group just now. */
export function isLeaderless(error: unknown): boolean {
  return error instanceof StateError && error.code === 'no_leader';
}
