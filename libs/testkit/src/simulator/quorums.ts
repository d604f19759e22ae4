import type { MemberId } from '#contracts';
import type { ConfState } from '#raft';

/**
 * A majority of the voters. While the configuration is joint a majority of either half will do here: an election
 * needs both, and what the old voters committed holds before the new ones have it.
 */
export function isQuorum({ voters, votersOutgoing }: ConfState, holding: readonly MemberId[]): boolean {
  return [voters, votersOutgoing].some((half) => countOf(half, holding) * 2 > half.length);
}

/**
 * Whether nobody can be elected without one of these: what a majority of the voters before a change committed is
 * on half of an even number of voters after it, and that is enough.
 */
export function mustBeAsked({ voters, votersOutgoing }: ConfState, holding: readonly MemberId[]): boolean {
  return [voters, votersOutgoing].some(
    (half) => half.length > 0 && countOf(half, holding) * 2 >= half.length,
  );
}

function countOf(half: readonly MemberId[], holding: readonly MemberId[]): number {
  return half.filter((member) => holding.includes(member)).length;
}
