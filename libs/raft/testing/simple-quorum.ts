import type { MemberId } from '#contracts';

/**
 * The quorum rules once more, as slowly and plainly as they can be said: the oracle that the fast ones are
 * compared with. A position is committed when every half has more members at or past it than not.
 */
type Positions = ReadonlyMap<MemberId, number>;
type Votes = ReadonlyMap<MemberId, boolean>;

const isMajority = (some: number, all: number): boolean => some * 2 > all;

export function simplePosition(halves: readonly (readonly MemberId[])[], positions: Positions): number {
  const candidates = [0, ...positions.values(), Infinity];
  const reached = candidates.filter((candidate) =>
    halves.every(
      (half) =>
        half.length === 0 ||
        isMajority(half.filter((member) => (positions.get(member) ?? 0) >= candidate).length, half.length),
    ),
  );
  return Math.max(...reached);
}

/** Decided when every way in which the missing votes may fall leads to the same end. */
export function simpleVote(
  halves: readonly (readonly MemberId[])[],
  votes: Votes,
): 'pending' | 'won' | 'lost' {
  const missing = [...new Set(halves.flat())].filter((member) => !votes.has(member));
  const outcomes = new Set<boolean>();
  for (let fall = 0; fall < 2 ** missing.length; fall += 1) {
    const granted = (member: MemberId): boolean =>
      votes.get(member) ?? (fall & (2 ** missing.indexOf(member))) !== 0;
    outcomes.add(
      halves.every((half) => half.length === 0 || isMajority(half.filter(granted).length, half.length)),
    );
  }
  if (outcomes.size === 2) return 'pending';
  return outcomes.has(true) ? 'won' : 'lost';
}
