import type { LogIndex, MemberId } from '#contracts';
import type { ConfChange, ConfState, Status } from '#raft';
import type { Replica } from '../replica';
import type { GroupDocument } from './documents';

/** A learner this close to the leader's last entry may be made a voter. */
const CAUGHT_UP_ENTRIES = 256;

/** What the leader of a group should do next to bring its configuration to the wanted one. */
export type MembershipStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'change'; readonly change: ConfChange }
  | { readonly kind: 'transfer'; readonly to: MemberId };

/**
 * One safe step from the configuration that is to the one that is wanted. New members join as learners and are
 * promoted only when they have caught up, together with the removal of those that go, in one joint change; a leader
 * that has to go hands over first. Every step is derived from what is, so a crash at any point loses nothing.
 */
export function nextMembershipStep(
  status: Status,
  wanted: Pick<GroupDocument, 'voters' | 'learners'>,
  mayJoin: (member: MemberId) => boolean = () => true,
): MembershipStep {
  const conf = status.confState;
  if (conf.votersOutgoing.length > 0) return { kind: 'none' };
  const missing = [...wanted.voters, ...wanted.learners].find(
    (member) => !isMember(conf, member) && mayJoin(member),
  );
  if (missing !== undefined) return change([{ kind: 'addLearner', member: missing }]);

  const promotable = wanted.voters.filter(
    (member) => conf.learners.includes(member) && caughtUp(status, member),
  );
  const waiting = wanted.voters.filter(
    (member) => !conf.voters.includes(member) && !promotable.includes(member),
  );
  // Nobody goes while a successor is still catching up: availability is never lowered on the way.
  const leaving = waiting.length > 0 ? [] : conf.voters.filter((member) => !wanted.voters.includes(member));
  if (leaving.includes(status.id)) {
    const successor = wanted.voters.find(
      (member) => conf.voters.includes(member) && caughtUp(status, member),
    );
    if (successor !== undefined) return { kind: 'transfer', to: successor };
  }
  // Until then the leader stays: it never proposes a configuration without itself.
  const outgoing = leaving.filter((member) => member !== status.id);
  const changes: ConfChange['changes'] = [
    ...promotable.map((member) => ({ kind: 'addVoter' as const, member })),
    ...outgoing.map((member) => ({
      kind: wanted.learners.includes(member) ? ('addLearner' as const) : ('remove' as const),
      member,
    })),
  ];
  if (changes.length > 0) return change(changes);

  const surplus = conf.learners.find(
    (member) => !wanted.learners.includes(member) && !wanted.voters.includes(member),
  );
  return surplus === undefined ? { kind: 'none' } : change([{ kind: 'remove', member: surplus }]);
}

/** Takes that step if this replica leads; what is refused (another change is under way) is tried again later. */
export function keepMembership(
  replica: Replica,
  wanted: Pick<GroupDocument, 'voters' | 'learners'>,
  mayJoin: (member: MemberId) => boolean,
): void {
  if (!replica.isLeader) return;
  const step = nextMembershipStep(replica.status(), wanted, mayJoin);
  if (step.kind === 'change') replica.proposeConfChange(step.change);
  else if (step.kind === 'transfer') replica.transferLeadership(step.to);
}

function change(changes: ConfChange['changes']): MembershipStep {
  return { kind: 'change', change: { changes, transition: 'auto', context: new Uint8Array(0) } };
}

function isMember(conf: ConfState, member: MemberId): boolean {
  return conf.voters.includes(member) || conf.learners.includes(member) || conf.learnersNext.includes(member);
}

function caughtUp(status: Status, member: MemberId): boolean {
  const progress = status.progress.find((one) => one.member === member);
  if (progress === undefined) return false;
  const wantedIndex = (status.lastIndex - CAUGHT_UP_ENTRIES) as LogIndex;
  return progress.state === 'replicate' && progress.recentActive && progress.match >= wantedIndex;
}
