import type { ConfState } from '../types';
import {
  type ChangeBase,
  type ChangeOutcome,
  enterJoint,
  simpleChange,
  type SingleChange,
} from './confchange';
import { EMPTY_CONFIGURATION } from '../tracker/tracker';

const changesOf = (members: ConfState['voters'], kind: SingleChange['kind']): SingleChange[] =>
  members.map((member) => ({ kind, member }));

/**
 * Builds the configuration that a `ConfState` describes, by the same steps that lead there: first the outgoing
 * voters one by one, then the joint change from them to the rest. So nothing can be restored that could not
 * have been reached. A state without voters is the empty configuration of a member that knows nothing yet.
 */
export function restoreConfiguration(
  base: Omit<ChangeBase, 'configuration' | 'progress'>,
  state: ConfState,
): ChangeOutcome {
  const steps: SingleChange[] = [
    ...changesOf(state.voters, 'addVoter'),
    ...changesOf(state.learners, 'addLearner'),
    ...changesOf(state.learnersNext, 'addLearner'),
  ];
  let outcome: ChangeOutcome = { ok: true, configuration: EMPTY_CONFIGURATION, progress: new Map() };
  const joint = state.votersOutgoing.length > 0;
  for (const step of joint ? changesOf(state.votersOutgoing, 'addVoter') : steps) {
    if (!outcome.ok) return outcome;
    outcome = simpleChange({ ...base, ...outcome }, [step]);
  }
  if (!joint || !outcome.ok) return outcome;
  return enterJoint({ ...base, ...outcome }, state.autoLeave, [
    ...changesOf(state.votersOutgoing, 'remove'),
    ...steps,
  ]);
}
