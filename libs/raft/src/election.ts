import { EntryKind, type LogIndex, NO_MEMBER, type Term } from '#contracts';
import type { Core } from './core';
import type { MessageDraft } from './message';
import { votersOf } from './quorum/joint';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles';
import { type Message, MessageType } from './types';

/**
 * Starts an election, if this member may be elected and has applied every committed conf change: with an older
 * configuration it could win votes that do not count any more.
 */
export function campaign(core: Core, transfer: boolean): void {
  if (core.role === 'leader' || !core.isPromotable() || hasUnappliedConfChange(core)) return;
  // A transfer asks for no pre-vote: the leader itself has invited the election (section 3.10).
  if (core.config.preVote && !transfer) campaignForPreVotes(core);
  else campaignForVotes(core, transfer);
}

function campaignForPreVotes(core: Core): void {
  becomePreCandidate(core);
  core.tracker.recordVote(core.id, true);
  if (core.tracker.tallyVotes() === 'won') {
    campaignForVotes(core, false);
    return;
  }
  // Nothing is promised and nothing changes here, so the question need not wait for the disk.
  for (const message of voteRequests(core, MessageType.requestPreVote, (core.term + 1) as Term, false))
    core.send(message);
}

/**
 * The requests wait until term, own vote and log are durable, and so does the own vote's count. Otherwise a
 * member that crashes and forgets could campaign again in the same term with a shorter log, and collect answers
 * that were given to the longer one.
 */
function campaignForVotes(core: Core, transfer: boolean): void {
  becomeCandidate(core);
  for (const message of voteRequests(core, MessageType.requestVote, core.term, transfer))
    core.sendAfterDurable(message);
}

function voteRequests(core: Core, type: MessageType, term: Term, transfer: boolean): Message[] {
  const last = core.log.last();
  const requests: Message[] = [];
  for (const voter of votersOf(core.tracker.configuration)) {
    if (voter === core.id) continue;
    const request = core.draft(type, voter);
    request.term = term;
    request.index = last.index;
    request.logTerm = last.term;
    request.transfer = transfer;
    requests.push(request);
  }
  return requests;
}

/** The host's log has synced something: the own vote may be among it. */
export function countOwnVote(core: Core): void {
  if (core.role !== 'candidate') return;
  const { durability } = core.log;
  const voteIsDurable = durability.term === core.term && durability.vote === core.id;
  if (!voteIsDurable && !core.hasBug('voteTwice')) return;
  core.tracker.recordVote(core.id, true);
  concludeElection(core);
}

/**
 * Gives or refuses a vote or a pre-vote (sections 3.4, 3.6.1, 9.6). Learners vote too: they may be behind. A member
 * that has not begun does not: to it every log is new enough, and if it was of the group before and gave up what it
 * held, somebody who has not heard of that may ask it.
 */
export function handleVoteRequest(core: Core, message: Message): void {
  const isPreVote = message.type === MessageType.requestPreVote;
  const isFree =
    core.vote === message.from ||
    (core.vote === NO_MEMBER && core.leader === NO_MEMBER) ||
    (isPreVote && message.term > core.term);
  const granted =
    core.hasBegun() && isFree && core.log.isUpToDate({ index: message.index, term: message.logTerm });
  const answer = core.draft(
    isPreVote ? MessageType.requestPreVoteResponse : MessageType.requestVoteResponse,
    message.from,
  );
  // A granted pre-vote answers in the term that it was asked for; a refusal tells the term that it knows.
  answer.term = granted ? message.term : core.term;
  if (!granted) refuse(core, answer);
  core.sendAfterDurable(answer);
  if (granted && !isPreVote) {
    core.electionElapsedTicks = 0;
    core.vote = message.from;
  }
}

/** A pre-vote asked for in an older term is refused with the newer one, so that its sender catches up. */
export function refuseStalePreVote(core: Core, message: Message): void {
  const answer = core.draft(MessageType.requestPreVoteResponse, message.from);
  refuse(core, answer);
  core.sendAfterDurable(answer);
}

/**
 * A refusal tells what is known to be committed. A candidate may need it: when its configuration is older than
 * the refuser's, the votes that it asks for may be of members that were removed since, whose logs go on beyond
 * its own and who never campaign again. Nobody could be elected then. That an entry is committed is true for
 * ever and whoever says it, so it is safe to learn it here.
 */
function refuse(core: Core, answer: MessageDraft): void {
  answer.reject = true;
  answer.commit = core.log.committed;
  answer.logTerm = core.log.term(core.log.committed) ?? (0 as Term);
}

function learnCommit(core: Core, message: Message): void {
  const { log } = core;
  if (message.reject && message.commit > log.committed && log.term(message.commit) === message.logTerm)
    log.commitTo(message.commit);
}

export function handleVoteResponse(core: Core, message: Message): void {
  learnCommit(core, message);
  const awaited =
    core.role === 'preCandidate' ? MessageType.requestPreVoteResponse : MessageType.requestVoteResponse;
  const isRunning = core.role === 'preCandidate' || core.role === 'candidate';
  if (!isRunning || message.type !== awaited) return;
  // A pre-vote that was granted in an earlier campaign names an earlier term.
  if (core.role === 'preCandidate' && !message.reject && message.term !== core.term + 1) return;
  core.tracker.recordVote(message.from, !message.reject);
  concludeElection(core);
}

function concludeElection(core: Core): void {
  const result = core.tracker.tallyVotes();
  if (result === 'won') {
    if (core.role === 'preCandidate') campaignForVotes(core, false);
    else becomeLeader(core);
  } else if (result === 'lost') {
    becomeFollower(core, core.term, NO_MEMBER);
  }
}

/**
 * Whether this member heard of a leader so lately that it must not help to depose it (sections 4.2.3, 6.2):
 * removed and cut-off members cannot disturb a group that works. With lease reads a member that has just
 * started cannot know, so it waits as well.
 */
export function refusesElections(core: Core): boolean {
  const { checkQuorum, leaseReads, electionTimeoutTicks } = core.config;
  if (!checkQuorum) return false;
  if (leaseReads && core.tick < electionTimeoutTicks) return true;
  return core.leader !== NO_MEMBER && core.electionElapsedTicks < electionTimeoutTicks;
}

/**
 * Whether an election that the host asks for could pass over a leader's lease: this member's own vote is as much
 * a part of it as its answers to others. A group of one has nobody to wait for.
 */
export function mayBreakLease(core: Core): boolean {
  return core.config.leaseReads && refusesElections(core) && votersOf(core.tracker.configuration).length > 1;
}

function hasUnappliedConfChange(core: Core): boolean {
  let low = (core.cursor.applied + 1) as LogIndex;
  const high = (core.log.committed + 1) as LogIndex;
  while (low < high) {
    const entries = core.log.entries(low, high, core.config.maxCommittedBytes);
    for (const entry of entries) if (entry.kind === EntryKind.confChange) return true;
    if (entries.length === 0) core.broken(`committed entry ${low} is not in the log`);
    low = (low + entries.length) as LogIndex;
  }
  return false;
}
