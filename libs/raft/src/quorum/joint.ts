import type { MemberId } from '#contracts';
import {
  type AcknowledgedPosition,
  majorityPosition,
  majorityVote,
  type VoteOf,
  type VoteResult,
} from './majority';

/**
 * The voters of a configuration. While the change is joint, both halves must agree on everything (Raft
 * dissertation, section 4.3); otherwise `outgoing` is empty and `incoming` decides alone.
 */
export interface JointVoters {
  readonly incoming: ReadonlySet<MemberId>;
  readonly outgoing: ReadonlySet<MemberId>;
}

/** The highest position that both halves have reached by majority; `Infinity` without any voter. */
export function jointPosition(voters: JointVoters, positionOf: AcknowledgedPosition): number {
  const incoming = majorityPosition(voters.incoming, positionOf);
  if (voters.outgoing.size === 0) return incoming;
  return Math.min(incoming, majorityPosition(voters.outgoing, positionOf));
}

/** Won when both halves are won, lost as soon as one is. */
export function jointVote(voters: JointVoters, voteOf: VoteOf): VoteResult {
  const incoming = majorityVote(voters.incoming, voteOf);
  const outgoing = majorityVote(voters.outgoing, voteOf);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

/** Everyone with a vote in either half, in ascending order, so that what follows from it repeats. */
export function votersOf(voters: JointVoters): MemberId[] {
  const all = new Set(voters.incoming);
  for (const member of voters.outgoing) all.add(member);
  return [...all].sort((a, b) => a - b);
}

export function isVoter(voters: JointVoters, member: MemberId): boolean {
  return voters.incoming.has(member) || voters.outgoing.has(member);
}
