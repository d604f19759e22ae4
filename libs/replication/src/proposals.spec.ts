import { StateError, commitSeq, type CommandOutcome, type LogIndex, type Term } from '#contracts';
import { PendingProposals } from './proposals';

const at = (index: number): LogIndex => index as LogIndex;
const term = (value: number): Term => value as Term;
const done: CommandOutcome = { kind: 'done', commitSeq: commitSeq(1), results: [] };

describe('pending proposals', () => {
  let told: string[];
  let failures: string[];
  let proposals: PendingProposals;
  beforeEach(() => {
    told = [];
    failures = [];
    proposals = new PendingProposals((error) => failures.push(error.code));
  });
  const add = (index: number, of: number, deadlineMs = 100, name = `${index}/${of}`): void =>
    proposals.add(
      at(index),
      term(of),
      deadlineMs,
      () => told.push(`${name} done`),
      (error) => told.push(`${name} ${error.code}`),
    );

  test('are done when their own entry is applied, and only once', () => {
    add(5, 2);
    proposals.settle(at(4), term(2), done);
    expect(told).toEqual([]);
    proposals.settle(at(5), term(2), done);
    proposals.settle(at(5), term(2), done);
    expect({ told, failures, size: proposals.size }).toEqual({ told: ['5/2 done'], failures: [], size: 0 });
  });

  test('are known not to have happened when another entry took their place', () => {
    add(5, 2);
    proposals.settle(at(5), term(3), done);
    expect({ told, failures }).toEqual({ told: ['5/2 no_leader'], failures: ['no_leader'] });
  });

  test('have an unknown outcome when this leader proposes at their place again', () => {
    add(5, 2);
    add(5, 4);
    expect(told).toEqual(['5/2 timeout']);
    proposals.settle(at(5), term(4), done);
    expect(told).toEqual(['5/2 timeout', '5/4 done']);
  });

  test('below an installed snapshot have an unknown outcome', () => {
    [3, 4, 5].forEach((index) => add(index, 1));
    proposals.abandonThrough(at(4));
    expect({ told, size: proposals.size }).toEqual({ told: ['3/1 timeout', '4/1 timeout'], size: 1 });
  });

  test('have an unknown outcome after their deadline, whatever is applied later', () => {
    add(3, 1, 100);
    add(4, 1, 200);
    proposals.expire(99);
    expect(told).toEqual([]);
    proposals.expire(100);
    proposals.settle(at(3), term(1), done);
    expect({ told, failures }).toEqual({ told: ['3/1 timeout'], failures: ['timeout'] });
  });

  test('are all told when the node stops', () => {
    add(3, 1);
    add(4, 1);
    proposals.rejectAll(() => new StateError('draining', 'stopping'));
    expect({ told, size: proposals.size }).toEqual({ told: ['3/1 draining', '4/1 draining'], size: 0 });
  });
});
