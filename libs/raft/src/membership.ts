import { EntryKind, type LogIndex, NO_MEMBER } from '#contracts';
import { decodeConfChange, encodeConfChange } from './conf-change-codec';
import { type ChangeOutcome, changeConfiguration } from './confchange/confchange';
import type { Core } from './core';
import { confirmReads } from './read-index';
import { appendOwn, maybeCommit } from './replication';
import { becomeFollower } from './roles';
import { abortTransfer } from './transfer';
import type { ConfChange, ConfState, ProposeOutcome } from './types';

const LEAVE_JOINT: ConfChange = { changes: [], transition: 'auto', context: new Uint8Array(0) };

/**
 * Puts a change into the log (Raft dissertation, chapter 4). One at a time, and none before this leader has
 * committed in its term: otherwise two leaders could hold changes that do not share a quorum.
 */
export function proposeConfChange(core: Core, change: ConfChange): ProposeOutcome {
  if (core.role !== 'leader') return { kind: 'dropped', reason: 'notLeader' };
  if (!core.tracker.progress.has(core.id)) return { kind: 'dropped', reason: 'notMember' };
  if (core.transferee !== NO_MEMBER) return { kind: 'dropped', reason: 'transferring' };
  if (core.pendingConfIndex > core.cursor.applied || !core.hasCommittedInTerm())
    return { kind: 'dropped', reason: 'confChangePending' };
  // With no other change between this entry and the configuration in force, what holds here holds when the
  // entry is applied, on every member.
  if (!outcomeOf(core, change).ok) return { kind: 'dropped', reason: 'confChangeInvalid' };
  const data = encodeConfChange(change);
  // The end of a joint change is never refused for its size: it frees the group.
  const bytes = change.changes.length === 0 ? 0 : data.byteLength;
  if (!core.uncommitted.admits(bytes)) return { kind: 'dropped', reason: 'uncommittedFull' };
  const index = appendOwn(core, EntryKind.confChange, data);
  core.uncommitted.add(index, bytes);
  core.pendingConfIndex = index;
  return { kind: 'appended', index, term: core.term };
}

function outcomeOf(core: Core, change: ConfChange): ChangeOutcome {
  const { tracker, log } = core;
  return changeConfiguration(
    {
      configuration: tracker.configuration,
      progress: tracker.progress,
      lastIndex: log.lastIndex,
      newInflights: () => tracker.newInflights(),
    },
    change,
  );
}

/** Puts a committed change into force: the host calls this when it applies the entry, before `applied`. */
export function applyConfChange(core: Core, change: ConfChange | Uint8Array): ConfState {
  const decoded = change instanceof Uint8Array ? decodeConfChange(change) : change;
  if (decoded === undefined) return core.broken('a committed conf change cannot be read');
  const outcome = outcomeOf(core, decoded);
  if (!outcome.ok) return core.broken(`a committed conf change is impossible: ${outcome.reason}`);
  core.tracker.use(outcome.configuration, outcome.progress);
  if (core.role === 'leader') afterChangeOnLeader(core);
  else if (core.role !== 'follower' && !core.isPromotable()) becomeFollower(core, core.term, NO_MEMBER);
  return core.tracker.confState();
}

/** Quorums have changed: more may be committed or confirmed now, and new members want to be probed. */
function afterChangeOnLeader(core: Core): void {
  if (!core.tracker.isVoter(core.id)) {
    // Removed, or a learner now: it has served until its own change was committed (section 4.2.2).
    becomeFollower(core, core.term, NO_MEMBER);
    return;
  }
  maybeCommit(core);
  confirmReads(core);
  core.appendsPending = true;
  if (core.transferee !== NO_MEMBER && !core.tracker.isVoter(core.transferee)) abortTransfer(core);
}

/**
 * Leaves a joint configuration that wants to be left by itself, once the entry that entered it is applied.
 * Asked after each application and at each heartbeat, because a transfer in progress refuses it.
 */
export function maybeAutoLeave(core: Core): void {
  if (core.role === 'leader' && core.tracker.configuration.autoLeave) proposeConfChange(core, LEAVE_JOINT);
}

/** The host's state machine stands at `index`. */
export function appliedTo(core: Core, index: LogIndex): void {
  if (index > core.cursor.applying)
    core.broken(`applied ${index}, but only ${core.cursor.applying} was handed out`);
  core.cursor.appliedTo(index);
  maybeAutoLeave(core);
}
