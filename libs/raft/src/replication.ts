import { type EntryKind, type LogEntry, type LogIndex, type MemberId } from '#contracts';
import type { Core } from './core';
import { entriesBytes } from './entry-bytes';
import { sendSnapshot } from './snapshot';
import type { Progress } from './tracker/progress';
import { maybeSendTimeoutNow } from './transfer';
import { type Message, MessageType } from './types';

const NO_ENTRIES: readonly LogEntry[] = [];
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Appends one entry to the leader's own log. The caller has asked the bound on uncommitted bytes. */
export function appendOwn(core: Core, kind: EntryKind, data: Uint8Array): LogIndex {
  const index = (core.log.lastIndex + 1) as LogIndex;
  if (index >= NO_LIMIT) core.broken(`log index ${index} is out of range`);
  core.log.appendOwn({ term: core.term, index, kind, data });
  core.appendsPending = true;
  return index;
}

/**
 * Moves the commit index to what a quorum holds durably, if that entry is of the leader's own term: an older
 * one may still be overwritten even when a majority has it (Raft dissertation, section 3.6.2, figure 3.7).
 */
export function maybeCommit(core: Core): boolean {
  const index = core.tracker.committedIndex();
  if (index <= core.log.committed || index === Infinity) return false;
  const committed = index as LogIndex;
  if (core.log.term(committed) !== core.term && !core.hasBug('commitOlderTerm')) return false;
  core.log.commitTo(committed);
  core.uncommitted.committedTo(committed);
  // Followers learn of it with the next appends.
  core.appendsPending = true;
  return true;
}

/** The leader's own log has become durable up to some index: its own vote for these entries. */
export function acknowledgeOwn(core: Core): void {
  const progress = core.tracker.progress.get(core.id);
  if (progress === undefined) return;
  if (progress.maybeUpdate(core.log.durability.index)) maybeCommit(core);
}

/** Sends everyone what they lack, as far as their windows allow. Called once per `ready()`. */
export function flushAppends(core: Core): void {
  core.appendsPending = false;
  if (core.role !== 'leader') return;
  for (const [member, progress] of core.tracker.progress) {
    if (member === core.id) continue;
    sendWhatFits(core, member, progress);
    if (progress.canAdvanceCommit(core.log.committed)) sendAppend(core, member, progress, true);
  }
}

function sendWhatFits(core: Core, member: MemberId, progress: Progress): void {
  while (sendAppend(core, member, progress, false));
}

/**
 * Sends one append to a follower: entries from `next` on, bounded in bytes. With nothing to send, an empty one
 * leaves only if `evenEmpty` (to probe, or to tell the commit index). Answers whether anything left.
 */
function sendAppend(core: Core, to: MemberId, progress: Progress, evenEmpty: boolean): boolean {
  if (progress.isPaused()) return false;
  const { log } = core;
  const lastIndex = log.lastIndex;
  const hasEntries = progress.next <= lastIndex && progress.mayCarryEntries();
  if (!hasEntries && !evenEmpty) return false;
  const previous = (progress.next - 1) as LogIndex;
  const previousTerm = log.term(previous);
  if (previousTerm === undefined || progress.next < log.firstIndex) return sendSnapshot(core, to, progress);
  const entries = hasEntries
    ? log.entries(progress.next, (lastIndex + 1) as LogIndex, core.config.maxMessageBytes)
    : NO_ENTRIES;
  const append = core.draft(MessageType.append, to);
  append.index = previous;
  append.logTerm = previousTerm;
  append.commit = log.committed;
  append.entries = entries;
  core.send(append);
  progress.sentAppend(entries.length, entriesBytes(entries), log.committed);
  return true;
}

/** A follower's side of an append (section 3.5). */
export function handleAppend(core: Core, message: Message): void {
  const { log } = core;
  const answer = core.draft(MessageType.appendResponse, message.from);
  if (message.index < log.committed) {
    answer.index = log.committed;
    answerAppend(core, answer);
    return;
  }
  // What follows a snapshot that is being installed would have to be written after it, and so be answered later
  // than it. The leader sends it again when a heartbeat is answered.
  if (log.unstable.snapshot !== undefined) return;
  const previous = { index: message.index, term: message.logTerm };
  const lastNewIndex = log.maybeAppend(previous, message.entries, message.commit);
  if (lastNewIndex !== undefined) {
    answer.index = lastNewIndex;
    answerAppend(core, answer);
    return;
  }
  const hint = log.findConflictByTerm(Math.min(message.index, log.lastIndex) as LogIndex, message.logTerm);
  answer.index = message.index;
  answer.reject = true;
  answer.rejectHint = hint.index;
  answer.logTerm = hint.term;
  answerAppend(core, answer);
}

/** An acknowledgement waits for the disk; a later one says all that an earlier one to the same leader says. */
function answerAppend(core: Core, answer: Message): void {
  if (core.hasBug('ackBeforeSync')) {
    core.send(answer);
    return;
  }
  const waiting = core.messagesAfterDurable;
  const newest = waiting[waiting.length - 1];
  const covers =
    newest !== undefined &&
    newest.type === MessageType.appendResponse &&
    newest.to === answer.to &&
    newest.term === answer.term &&
    !newest.reject &&
    !answer.reject &&
    newest.index <= answer.index;
  if (covers) waiting[waiting.length - 1] = answer;
  else core.sendAfterDurable(answer);
}

/** The leader's side of an answer to an append or a snapshot. */
export function handleAppendResponse(core: Core, message: Message): void {
  const progress = core.tracker.progress.get(message.from);
  if (progress === undefined) return;
  progress.recentActive = true;
  if (message.reject) {
    handleRejection(core, message, progress);
    return;
  }
  if (message.index > core.log.lastIndex)
    core.broken(
      `member ${message.from} acknowledges ${message.index}, the log ends at ${core.log.lastIndex}`,
    );
  const advanced = progress.maybeUpdate(message.index);
  const probeAnswered = progress.state === 'probe' && progress.match === message.index;
  if (!advanced && !probeAnswered) return;
  if (progress.state === 'probe') {
    progress.becomeReplicate();
  } else if (progress.state === 'snapshot') {
    // Whatever it installed, it can go on from the log if that still holds what follows.
    if (progress.match + 1 >= core.log.firstIndex) progress.becomeReplicate();
  } else {
    progress.inflights.freeTo(message.index);
    progress.resume();
  }
  maybeCommit(core);
  if (progress.next <= core.log.lastIndex || progress.canAdvanceCommit(core.log.committed))
    core.appendsPending = true;
  maybeSendTimeoutNow(core, message.from);
}

/**
 * The logs differ at `message.index`. The follower has hinted where they may agree, going by the terms it has;
 * the leader goes on from there by the terms of its own log. So a probe is needed at most once per term.
 */
function handleRejection(core: Core, message: Message, progress: Progress): void {
  let probe = message.rejectHint;
  if (message.logTerm > 0) probe = core.log.findConflictByTerm(probe, message.logTerm).index;
  if (!progress.maybeDecreaseTo(message.index, probe)) return;
  if (progress.state === 'replicate') progress.becomeProbe();
  sendAppend(core, message.from, progress, true);
}

/** Keeps followers from campaigning, tells commits, and confirms reads through `round` (0 for none). */
export function broadcastHeartbeat(core: Core, round: number): void {
  for (const [member, progress] of core.tracker.progress) {
    if (member === core.id) continue;
    const heartbeat = core.draft(MessageType.heartbeat, member);
    // Beyond its match a follower's log may still differ: it must not commit there.
    heartbeat.commit = Math.min(progress.match, core.log.committed) as LogIndex;
    heartbeat.context = round;
    core.send(heartbeat);
    progress.sentHeartbeat(heartbeat.commit);
  }
}

export function handleHeartbeat(core: Core, message: Message): void {
  core.log.commitTo(message.commit);
  const answer = core.draft(MessageType.heartbeatResponse, message.from);
  answer.context = message.context;
  core.send(answer);
}

/** A heartbeat's answer gets a stalled follower going again: a lost probe, a window full of lost appends. */
export function handleHeartbeatResponse(core: Core, message: Message): void {
  const progress = core.tracker.progress.get(message.from);
  if (progress === undefined) return;
  progress.recentActive = true;
  progress.resume();
  if (message.context > progress.acknowledgedRound) progress.acknowledgedRound = message.context;
  if (progress.match < core.log.lastIndex || progress.state === 'probe')
    sendAppend(core, message.from, progress, true);
}

/** The transport could not deliver to a member: what was pipelined to it is probably lost. */
export function reportUnreachable(core: Core, member: MemberId): void {
  const progress = core.tracker.progress.get(member);
  if (core.role === 'leader' && progress?.state === 'replicate') progress.becomeProbe();
}

/** The term of a leader that this member does not follow any more, told so that it steps down. */
export function nudgeStaleLeader(core: Core, leader: MemberId): void {
  const answer = core.draft(MessageType.appendResponse, leader);
  core.sendAfterDurable(answer);
}
