import type { MemberId } from '#contracts';

/** What the votes heard so far decide. */
export type VoteResult = 'pending' | 'won' | 'lost';

/** How far a member is known to have come (a log index, or a heartbeat round); `undefined` when unheard of. */
export type AcknowledgedPosition = (member: MemberId) => number | undefined;

/** A member's vote: granted, refused, or `undefined` while unheard of. */
export type VoteOf = (member: MemberId) => boolean | undefined;

/** Members of a majority: more than half. */
export const majorityOf = (memberCount: number): number => Math.floor(memberCount / 2) + 1;

/**
 * The highest position that a majority of `members` has reached (Raft dissertation, section 3.5). The empty set
 * has reached everything (`Infinity`), which makes it neutral as one half of a joint quorum.
 */
export function majorityPosition(members: ReadonlySet<MemberId>, positionOf: AcknowledgedPosition): number {
  if (members.size === 0) return Infinity;
  const ascending: number[] = [];
  for (const member of members) {
    const position = positionOf(member) ?? 0;
    // Insertion keeps the handful of positions of a group sorted without a comparator call.
    let slot = ascending.length;
    ascending.push(position);
    while (slot > 0 && (ascending[slot - 1] as number) > position) {
      ascending[slot] = ascending[slot - 1] as number;
      slot -= 1;
    }
    ascending[slot] = position;
  }
  return ascending[members.size - majorityOf(members.size)] as number;
}

/** What a majority vote among `members` has decided (dissertation, section 3.4). The empty set votes yes. */
export function majorityVote(members: ReadonlySet<MemberId>, voteOf: VoteOf): VoteResult {
  if (members.size === 0) return 'won';
  let granted = 0;
  let unheard = 0;
  for (const member of members) {
    const vote = voteOf(member);
    if (vote === undefined) unheard += 1;
    else if (vote) granted += 1;
  }
  const needed = majorityOf(members.size);
  if (granted >= needed) return 'won';
  return granted + unheard >= needed ? 'pending' : 'lost';
}
