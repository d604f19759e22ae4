import type { LogIndex, MemberId } from '#contracts';
import type { Inflights } from '../tracker/inflights';
import { Progress } from '../tracker/progress';
import type { Configuration, ProgressMap } from '../tracker/tracker';
import type { ConfChange, ConfChangeKind } from '../types';

export interface SingleChange {
  readonly kind: ConfChangeKind;
  readonly member: MemberId;
}

/** What a change starts from. It is not touched: the outcome is a new configuration or a refusal. */
export interface ChangeBase {
  readonly configuration: Configuration;
  readonly progress: ProgressMap;
  /** Last index of the log: where probing of a new member starts. */
  readonly lastIndex: LogIndex;
  readonly newInflights: () => Inflights;
}

export type ChangeOutcome =
  | { readonly ok: true; readonly configuration: Configuration; readonly progress: ProgressMap }
  | { readonly ok: false; readonly reason: string };

interface Draft {
  incoming: Set<MemberId>;
  outgoing: Set<MemberId>;
  learners: Set<MemberId>;
  learnersNext: Set<MemberId>;
  autoLeave: boolean;
  progress: Map<MemberId, Progress>;
}

const refused = (reason: string): ChangeOutcome => ({ ok: false, reason });

function draftOf(base: ChangeBase): Draft {
  const { incoming, outgoing, learners, learnersNext, autoLeave } = base.configuration;
  const progress = new Map<MemberId, Progress>();
  for (const [member, known] of base.progress) progress.set(member, known.clone());
  return {
    incoming: new Set(incoming),
    outgoing: new Set(outgoing),
    learners: new Set(learners),
    learnersNext: new Set(learnersNext),
    autoLeave,
    progress,
  };
}

/** What every configuration must satisfy; a violation is a programmer's error in this file. */
function settled(draft: Draft): ChangeOutcome {
  const { progress, ...configuration } = draft;
  const assert = (condition: boolean, what: string): void => {
    if (!condition) throw new Error(`raft configuration: ${what}`);
  };
  for (const set of [draft.incoming, draft.outgoing, draft.learners, draft.learnersNext])
    for (const member of set) assert(progress.has(member), `no progress for ${member}`);
  for (const member of draft.learnersNext) {
    assert(draft.outgoing.has(member), `${member} is to become a learner but is no outgoing voter`);
    assert(progress.get(member)?.learner === false, `${member} is to become a learner and already is one`);
  }
  for (const member of draft.learners) {
    assert(!draft.incoming.has(member) && !draft.outgoing.has(member), `${member} is learner and voter`);
    assert(progress.get(member)?.learner === true, `${member} is a learner without the mark`);
  }
  if (draft.outgoing.size === 0) {
    assert(draft.learnersNext.size === 0, 'learners wait for the end of a joint change that is not there');
    assert(!draft.autoLeave, 'auto-leave outside of a joint configuration');
  }
  return { ok: true, configuration, progress };
}

/**
 * Enters the joint configuration: the present voters become the outgoing half, the changes make the incoming
 * half (Raft dissertation, section 4.3: C_old,new).
 */
export function enterJoint(
  base: ChangeBase,
  autoLeave: boolean,
  changes: readonly SingleChange[],
): ChangeOutcome {
  const draft = draftOf(base);
  if (draft.outgoing.size > 0) return refused('config is already joint');
  if (draft.incoming.size === 0) return refused("can't make a zero-voter config joint");
  draft.outgoing = new Set(draft.incoming);
  const refusal = applyChanges(base, draft, changes);
  if (refusal !== undefined) return refused(refusal);
  draft.autoLeave = autoLeave;
  return settled(draft);
}

/** Leaves the joint configuration: the incoming half decides alone, and demoted voters become learners. */
export function leaveJoint(base: ChangeBase): ChangeOutcome {
  const draft = draftOf(base);
  if (draft.outgoing.size === 0) return refused("can't leave a non-joint config");
  for (const member of draft.learnersNext) {
    draft.learners.add(member);
    const progress = draft.progress.get(member);
    if (progress !== undefined) progress.learner = true;
  }
  draft.learnersNext = new Set();
  for (const member of draft.outgoing)
    if (!draft.incoming.has(member) && !draft.learners.has(member)) draft.progress.delete(member);
  draft.outgoing = new Set();
  draft.autoLeave = false;
  return settled(draft);
}

/** Changes that move at most one voter: any two such configurations share a quorum (section 4.1). */
export function simpleChange(base: ChangeBase, changes: readonly SingleChange[]): ChangeOutcome {
  const draft = draftOf(base);
  if (draft.outgoing.size > 0) return refused("can't apply simple config change in joint config");
  const refusal = applyChanges(base, draft, changes);
  if (refusal !== undefined) return refused(refusal);
  if (votersMoved(base.configuration.incoming, draft.incoming) > 1)
    return refused('more than one voter changed without entering joint config');
  return settled(draft);
}

/** Carries out a proposed change: an empty one leaves a joint configuration. */
export function changeConfiguration(base: ChangeBase, change: ConfChange): ChangeOutcome {
  if (change.changes.length === 0) return leaveJoint(base);
  if (change.transition === 'jointExplicit') return enterJoint(base, false, change.changes);
  if (change.transition === 'jointImplicit') return enterJoint(base, true, change.changes);
  const draft = draftOf(base);
  const refusal = applyChanges(base, draft, change.changes);
  const joint =
    refusal === undefined &&
    draft.outgoing.size === 0 &&
    votersMoved(base.configuration.incoming, draft.incoming) > 1;
  return joint ? enterJoint(base, true, change.changes) : simpleChange(base, change.changes);
}

function votersMoved(before: ReadonlySet<MemberId>, after: ReadonlySet<MemberId>): number {
  let moved = 0;
  for (const member of before) if (!after.has(member)) moved += 1;
  for (const member of after) if (!before.has(member)) moved += 1;
  return moved;
}

function applyChanges(base: ChangeBase, draft: Draft, changes: readonly SingleChange[]): string | undefined {
  for (const change of changes) {
    switch (change.kind) {
      case 'addVoter':
        makeVoter(base, draft, change.member);
        break;
      case 'addLearner':
        makeLearner(base, draft, change.member);
        break;
      case 'remove':
        remove(draft, change.member);
        break;
    }
  }
  return draft.incoming.size === 0 ? 'removed all voters' : undefined;
}

function makeVoter(base: ChangeBase, draft: Draft, member: MemberId): void {
  draft.incoming.add(member);
  const progress = draft.progress.get(member);
  if (progress === undefined) {
    track(base, draft, member, false);
    return;
  }
  progress.learner = false;
  draft.learners.delete(member);
  draft.learnersNext.delete(member);
}

/** An outgoing voter is only noted for later: nobody is counted as voter and learner at once. */
function makeLearner(base: ChangeBase, draft: Draft, member: MemberId): void {
  const progress = draft.progress.get(member);
  if (progress === undefined) {
    draft.learners.add(member);
    track(base, draft, member, true);
    return;
  }
  if (progress.learner) return;
  remove(draft, member);
  draft.progress.set(member, progress);
  if (draft.outgoing.has(member)) {
    draft.learnersNext.add(member);
  } else {
    progress.learner = true;
    draft.learners.add(member);
  }
}

function remove(draft: Draft, member: MemberId): void {
  draft.incoming.delete(member);
  draft.learners.delete(member);
  draft.learnersNext.delete(member);
  if (!draft.outgoing.has(member)) draft.progress.delete(member);
}

function track(base: ChangeBase, draft: Draft, member: MemberId, learner: boolean): void {
  draft.progress.set(
    member,
    new Progress({
      match: 0 as LogIndex,
      next: Math.max(base.lastIndex, 1) as LogIndex,
      learner,
      // A new member counts as heard of, or the next quorum check could depose the leader for its silence.
      recentActive: true,
      inflights: base.newInflights(),
    }),
  );
}
