import fc from 'fast-check';
import { NO_MEMBER, memberId, type LogIndex, type MemberId, type Term } from '#contracts';
import type { ConfChange, ConfState, Status } from '#raft';
import { nextMembershipStep, type MembershipStep } from './membership-keeper';

interface Given {
  readonly leader: number;
  readonly voters: readonly number[];
  readonly learners?: readonly number[];
  readonly outgoing?: readonly number[];
  /** Members whose logs lag, that are silent, or that are still being probed; all others are caught up. */
  readonly lagging?: readonly number[];
  readonly silent?: readonly number[];
  readonly probed?: readonly number[];
}

const members = (numbers: readonly number[] = []): MemberId[] => numbers.map(memberId);

function status({ leader, voters, learners, outgoing, lagging, silent, probed }: Given): Status {
  const confState: ConfState = {
    voters: members(voters),
    votersOutgoing: members(outgoing),
    learners: members(learners),
    learnersNext: [],
    autoLeave: false,
  };
  const lastIndex = 1_000 as LogIndex;
  return {
    id: memberId(leader),
    term: 1 as Term,
    vote: NO_MEMBER,
    leader: memberId(leader),
    role: 'leader',
    commit: lastIndex,
    applied: lastIndex,
    lastIndex,
    confState,
    transferee: NO_MEMBER,
    progress: [...confState.voters, ...confState.learners].map((member) => ({
      member,
      match: (lagging?.includes(member) ? 743 : 744) as LogIndex,
      next: lastIndex,
      state: probed?.includes(member) ? 'probe' : 'replicate',
      learner: confState.learners.includes(member),
      recentActive: !(silent?.includes(member) ?? false),
    })),
  };
}

const step = (given: Given, voters: readonly number[], learners: readonly number[] = []): unknown =>
  said(nextMembershipStep(status(given), { voters: members(voters), learners: members(learners) }));

function said(next: MembershipStep): string {
  if (next.kind === 'none') return 'none';
  if (next.kind === 'transfer') return `transfer ${next.to}`;
  return next.change.changes.map(({ kind, member }) => `${kind} ${member}`).join(', ');
}

describe('the next step', () => {
  test.each<[string, Given, number[], number[], string]>([
    ['nothing to do', { leader: 1, voters: [1, 2, 3] }, [1, 2, 3], [], 'none'],
    ['a joint change is under way', { leader: 1, voters: [1], outgoing: [2] }, [3], [], 'none'],
    ['newcomers join as learners, one by one', { leader: 1, voters: [1] }, [1, 2, 3], [], 'addLearner 2'],
    ['also those that stay learners', { leader: 1, voters: [1] }, [1], [4], 'addLearner 4'],
    ['who has caught up votes', { leader: 1, voters: [1], learners: [2] }, [1, 2], [], 'addVoter 2'],
    ['who lags does not', { leader: 1, voters: [1], learners: [2], lagging: [2] }, [1, 2], [], 'none'],
    ['nor who is silent', { leader: 1, voters: [1], learners: [2], silent: [2] }, [1, 2], [], 'none'],
    ['nor who is being probed', { leader: 1, voters: [1], learners: [2], probed: [2] }, [1, 2], [], 'none'],
    [
      'a swap is one change',
      { leader: 1, voters: [1, 2], learners: [3] },
      [1, 3],
      [],
      'addVoter 3, remove 2',
    ],
    [
      'nobody goes while a successor catches up',
      { leader: 1, voters: [1, 2, 3], learners: [4, 5], lagging: [5] },
      [1, 4, 5],
      [],
      'addVoter 4',
    ],
    ['a voter becomes a learner', { leader: 1, voters: [1, 2] }, [1], [2], 'addLearner 2'],
    ['a leader that goes hands over first', { leader: 1, voters: [1, 2, 3] }, [2, 3], [], 'transfer 2'],
    ['to one that has caught up', { leader: 1, voters: [1, 2, 3], lagging: [2] }, [2, 3], [], 'transfer 3'],
    ['it waits for one', { leader: 1, voters: [1, 2], lagging: [2] }, [2], [], 'none'],
    [
      'it promotes its successor, and stays',
      { leader: 1, voters: [1], learners: [2] },
      [2],
      [],
      'addVoter 2',
    ],
    ['others go meanwhile', { leader: 1, voters: [1, 2, 3], silent: [2] }, [2], [], 'remove 3'],
    ['surplus learners go last', { leader: 1, voters: [1], learners: [2] }, [1], [], 'remove 2'],
  ])('%s', (_, given, voters, learners, expected) => {
    expect(step(given, voters, learners)).toBe(expected);
  });
});

/** What the core makes of a change (Raft dissertation, section 4.3), once a joint configuration is left. */
function apply(
  conf: Pick<Given, 'voters' | 'learners'>,
  { changes }: ConfChange,
): Pick<Given, 'voters' | 'learners'> {
  const voters = new Set(conf.voters);
  const learners = new Set(conf.learners);
  for (const { kind, member } of changes) {
    voters.delete(member);
    learners.delete(member);
    if (kind === 'addVoter') voters.add(member);
    if (kind === 'addLearner') learners.add(member);
  }
  return { voters: [...voters], learners: [...learners] };
}

const sortedNumbers = (numbers: readonly number[] = []): number[] => [...numbers].sort((a, b) => a - b);

test('from any configuration the wanted one is reached, without fewer voters than needed or a lost leader', () => {
  const some = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 });
  const any = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 4 });
  const lags = fc.array(fc.subarray([1, 2, 3, 4, 5, 6, 7, 8]), { maxLength: 12 });
  fc.assert(
    fc.property(some, any, some, any, lags, (voters, learners, wantedVoters, wantedLearners, lagging) => {
      const wanted = {
        voters: members(wantedVoters),
        learners: members(wantedLearners.filter((member) => !wantedVoters.includes(member))),
      };
      let conf: Pick<Given, 'voters' | 'learners'> = {
        voters,
        learners: learners.filter((member) => !voters.includes(member)),
      };
      let leader = voters[0] as number;
      const least = Math.min(voters.length, wanted.voters.length);
      const late = [...lagging];
      for (let steps = 0; ; steps++) {
        expect(steps).toBeLessThan(60);
        const slow = late.shift();
        const next = nextMembershipStep(status({ ...conf, leader, lagging: slow }), wanted);
        if (next.kind === 'transfer') leader = next.to;
        if (next.kind === 'change') conf = apply(conf, next.change);
        expect(conf.voters.length).toBeGreaterThanOrEqual(least);
        expect(conf.voters).toContain(leader);
        if (next.kind === 'none' && slow === undefined) break;
      }
      expect(sortedNumbers(conf.voters)).toEqual(sortedNumbers(wanted.voters));
      expect(sortedNumbers(conf.learners)).toEqual(sortedNumbers(wanted.learners));
    }),
    { seed: 11, numRuns: 1_000 },
  );
});
