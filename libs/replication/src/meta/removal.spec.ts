import { commitSeq, groupId, memberId, type LogIndex, type Term } from '#contracts';
import type { NodeStatus } from '../node-status';
import { isRemovalKept } from './removal';

/**
 * Goal: who was left out of a group is told so only when nobody can need it any more. Method: what each node says of
 * its replica, as a table: where it has applied to, its voters (`/` before those that go), and whether it keeps that.
 */
const GROUP = groupId(1);

/** `1: 7 1,2,3/1,2,3,4 kept`: member 1 has applied 7. */
function said(line: string): NodeStatus {
  const [, member, applied, voters, outgoing, learners, kept] =
    /^(\d+): (\d+) ([\d,]*)(?:\/([\d,]+))?(?: \+([\d,]+))?( kept)?$/.exec(line) ?? [];
  const list = (text = '') => (text === '' ? [] : text.split(',').map((one) => memberId(Number(one))));
  return {
    member: memberId(Number(member)),
    region: 'local',
    forgetting: false,
    space: 'ok',
    replicas: [
      {
        group: GROUP,
        role: 'follower',
        leader: memberId(1),
        term: 2 as Term,
        commit: Number(applied) as LogIndex,
        applied: Number(applied) as LogIndex,
        commitSeq: commitSeq(1),
        configuration: {
          voters: list(voters),
          votersOutgoing: list(outgoing),
          learners: list(learners),
          learnersNext: [],
          autoLeave: false,
        },
        configurationKept: kept !== undefined,
        scrubbedTo: 0 as LogIndex,
        matches: [],
      },
    ],
  };
}

test.each<[string, boolean, string[]]>([
  ['a majority keeps it', true, ['1: 9 1,2,3 kept', '2: 9 1,2,3 kept', '4: 7 1,2,3/1,2,3,4']],
  ['a majority has applied it, one of them may forget it', false, ['1: 9 1,2,3 kept', '2: 9 1,2,3']],
  ['one alone keeps it', false, ['1: 9 1,2,3 kept', '2: 7 1,2,3/1,2,3,4 kept']],
  ['it still goes', false, ['1: 7 1,2,3/1,2,3,4 kept', '2: 7 1,2,3/1,2,3,4 kept']],
  ['it follows as a learner', false, ['1: 9 1,2,3 +4 kept', '2: 9 1,2,3 +4 kept']],
  ['it was taken in again since', false, ['1: 9 1,2,3 kept', '2: 9 1,2,3 kept', '3: 12 1,2,3 +4 kept']],
  ['those that say so vote no more', false, ['1: 9 1,2,3 kept', '5: 9 1,2,3 kept', '6: 9 1,2,3 kept']],
  ['who has not begun knows nothing', false, ['1: 9 1,2,3 kept', '2: 0 ']],
  ['nobody answers', false, []],
])('a removal, when %s: %s', (_, expected, lines) => {
  expect(isRemovalKept(GROUP, memberId(4), lines.map(said))).toBe(expected);
});

test('a learner has lost its vote', () => {
  const statuses = ['1: 9 1,2,3 +4 kept', '2: 9 1,2,3 +4 kept'].map(said);
  expect(isRemovalKept(GROUP, memberId(4), statuses, 'voter')).toBe(true);
  const joint = ['1: 9 1,2,3/1,2,4 +4 kept', '2: 9 1,2,3/1,2,4 +4 kept'].map(said);
  expect(isRemovalKept(GROUP, memberId(4), joint, 'voter')).toBe(false);
});
