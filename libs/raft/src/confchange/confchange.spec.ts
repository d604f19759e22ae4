import type { LogIndex, MemberId } from '#contracts';
import { dataDrivenFiles, type DataDrivenCase, runDataDrivenFile, sharedFolder } from '#testkit';
import * as fc from 'fast-check';
import { Tracker } from '../tracker/tracker';
import {
  type ChangeOutcome,
  changeConfiguration,
  enterJoint,
  leaveJoint,
  simpleChange,
  type SingleChange,
} from './confchange';
import { restoreConfiguration } from './restore';

/**
 * Goal: changes lead only to configurations that are safe. Method: the text cases of etcd/raft, and random
 * sequences of changes checked for overlapping quorums and for being restorable.
 */

const LIMITS = { maxInflightMessages: 10, maxInflightBytes: 1000 };
const KINDS: Readonly<Record<string, SingleChange['kind']>> = { v: 'addVoter', l: 'addLearner', r: 'remove' };

function baseOf(tracker: Tracker, lastIndex: number) {
  return {
    configuration: tracker.configuration,
    progress: tracker.progress,
    lastIndex: lastIndex as LogIndex,
    newInflights: () => tracker.newInflights(),
  };
}

function shown(tracker: Tracker): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = tracker.confState();
  const list = (members: readonly MemberId[]): string => `(${members.join(' ')})`;
  let text = `voters=${list(voters)}`;
  if (votersOutgoing.length > 0) text += `&&${list(votersOutgoing)}`;
  if (learners.length > 0) text += ` learners=${list(learners)}`;
  if (learnersNext.length > 0) text += ` learners_next=${list(learnersNext)}`;
  if (autoLeave) text += ' autoleave';
  text += '\n';
  for (const [member, { match, next, learner }] of tracker.progress)
    text += `${member}: StateProbe match=${match} next=${next}${learner ? ' learner' : ''}\n`;
  return text;
}

function changesOf(input: string): SingleChange[] {
  return input
    .split(/\s+/)
    .filter((token) => token !== '' && !token.startsWith('u'))
    .map((token) => ({
      kind: KINDS[token[0] as string] as SingleChange['kind'],
      member: Number(token.slice(1)) as MemberId,
    }))
    .filter(({ member }) => member > 0);
}

function outcomeOf(testCase: DataDrivenCase, tracker: Tracker, lastIndex: number): ChangeOutcome {
  const base = baseOf(tracker, lastIndex);
  const changes = changesOf(testCase.input);
  switch (testCase.command) {
    case 'simple':
      return simpleChange(base, changes);
    case 'enter-joint': {
      const autoLeave = testCase.arguments.find(({ key }) => key === 'autoleave');
      return enterJoint(base, autoLeave?.values[0] === 'true', changes);
    }
    case 'leave-joint':
      return changes.length > 0 ? { ok: false, reason: 'this command takes no input' } : leaveJoint(base);
    default:
      return { ok: false, reason: 'unknown command' };
  }
}

describe("etcd/raft's configuration cases", () => {
  const folder = sharedFolder('raft-testdata/confchange', __dirname);
  if (folder === undefined) {
    it('are left out: there is no folder shared/raft-testdata beside the project', () => undefined);
    return;
  }
  let cases = 0;
  it.each(dataDrivenFiles(folder))('$name', ({ path }) => {
    const tracker = new Tracker(LIMITS);
    let lastIndex = 0;
    const { expected, actual } = runDataDrivenFile(path, (testCase) => {
      cases += 1;
      const outcome = outcomeOf(testCase, tracker, lastIndex);
      lastIndex += 1;
      if (!outcome.ok) return outcome.reason;
      tracker.use(outcome.configuration, outcome.progress);
      return shown(tracker);
    });
    expect(actual).toBe(expected);
  });
  it('are all there', () => expect(cases).toBe(58));
});

describe('random sequences of changes', () => {
  const member = fc.integer({ min: 1, max: 5 }).map((id) => id as MemberId);
  const single = fc.record({ kind: fc.constantFrom('addVoter', 'addLearner', 'remove'), member });
  const change = fc.record({
    changes: fc.array(single as fc.Arbitrary<SingleChange>, { maxLength: 4 }),
    transition: fc.constantFrom('auto' as const, 'jointImplicit' as const, 'jointExplicit' as const),
    context: fc.constant(new Uint8Array(0)),
  });
  const seed = Number(process.env['SEED'] ?? 20260702);

  it('keep a quorum in common with the configuration before, and can be restored', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const tracker = new Tracker(LIMITS);
        const first = simpleChange(baseOf(tracker, 0), [{ kind: 'addVoter', member: 1 as MemberId }]);
        if (!first.ok) throw new Error(first.reason);
        tracker.use(first.configuration, first.progress);
        for (const next of changes) {
          const before = tracker.confState();
          const outcome = changeConfiguration(baseOf(tracker, 0), next);
          if (!outcome.ok) continue;
          tracker.use(outcome.configuration, outcome.progress);
          const after = tracker.confState();
          expect(quorumsMeet(before, after)).toBe(true);
          const restored = restoreConfiguration(baseOf(tracker, 0), after);
          if (!restored.ok) throw new Error(restored.reason);
          const copy = new Tracker(LIMITS);
          copy.use(restored.configuration, restored.progress);
          expect(copy.confState()).toEqual(after);
        }
      }),
      { seed, numRuns: 300 },
    );
  });
});

type State = ReturnType<Tracker['confState']>;

/** Whether every two sets of members that can decide, one in each configuration, share a member. */
function quorumsMeet(before: State, after: State): boolean {
  const all = [1, 2, 3, 4, 5];
  const decides = (state: State, chosen: readonly number[]): boolean =>
    [state.voters, state.votersOutgoing].every(
      (half) =>
        half.length === 0 || half.filter((member) => chosen.includes(member)).length * 2 > half.length,
    );
  const subsets = Array.from({ length: 2 ** all.length }, (_, bits) =>
    all.filter((_member, position) => (bits & (2 ** position)) !== 0),
  );
  const deciding = (state: State): readonly number[][] => subsets.filter((chosen) => decides(state, chosen));
  return deciding(before).every((one) =>
    deciding(after).every((other) => one.some((member) => other.includes(member))),
  );
}
