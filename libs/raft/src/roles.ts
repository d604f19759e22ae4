import { EntryKind, type MemberId, NO_MEMBER, type Term } from '#contracts';
import type { Core } from './core';
import { appendOwn } from './replication';

const NO_DATA = new Uint8Array(0);

/** Follows `leader` (nobody if not known) in `term`. */
export function becomeFollower(core: Core, term: Term, leader: MemberId): void {
  core.reset(term);
  core.leader = leader;
  core.role = 'follower';
}

/** Asks whether an election could be won, without touching term or vote (Raft dissertation, section 9.6). */
export function becomePreCandidate(core: Core): void {
  if (core.role === 'leader') core.broken('a leader does not campaign');
  core.tracker.resetVotes();
  core.failReads(core.reads.reset(core.id));
  core.leader = NO_MEMBER;
  core.role = 'preCandidate';
  core.randomizeElectionTimeout();
}

export function becomeCandidate(core: Core): void {
  if (core.role === 'leader') core.broken('a leader does not campaign');
  core.reset((core.term + 1) as Term);
  core.vote = core.id;
  core.role = 'candidate';
}

/** Takes over: an entry of the new term is what everything older will be committed with (section 3.6.2). */
export function becomeLeader(core: Core): void {
  if (core.role !== 'candidate') core.broken(`a ${core.role} cannot become leader`);
  core.reset(core.term);
  core.leader = core.id;
  core.role = 'leader';
  const own = core.tracker.progress.get(core.id);
  if (own === undefined) return core.broken('elected outside of its own configuration');
  own.becomeReplicate();
  // The log may hold a conf change: taking the end of it for one is safe and needs no search.
  core.pendingConfIndex = core.log.lastIndex;
  appendOwn(core, EntryKind.normal, NO_DATA);
}
