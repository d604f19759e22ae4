import { findCommitOrderFaults } from './commit-order';
import type { Operation } from './history';
import type { ObjectInput, ObjectOutput } from './models/object-model';
import { readObjectHistory } from './readers/object-history';

/** Goal: faults in the order of positions over several ids, each of which is sound on its own. */
const faultsOf = (...lines: string[]) => findCommitOrderFaults(readObjectHistory(lines.join('\n')));

it('accepts positions in an order that the calls allow', () => {
  const faults = faultsOf(
    '1 6 client-1 put a "1" => ok 2',
    '2 3 client-2 put b "1" => ok 1',
    '3 8 client-3 put c "1" => ok 3',
    '7 9 client-2 delete b => ok',
    '10 11 client-2 get c => "1" 3',
  );
  expect(faults).toEqual([]);
});

it('finds a write that went below what another client had been answered', () => {
  expect(faultsOf('1 2 client-1 put a "1" => ok 2', '3 4 client-2 put b "1" => ok 1')).toEqual([
    'put b called at 3 took commit_seq 1, though 2 was known before',
  ]);
});

it.each(['get a => "1" 5', 'put a "2" if-match 4 => precondition_failed 5'])(
  'counts what %s told',
  (read) => {
    expect(
      faultsOf('1 - client-1 put a "1" => unknown', `2 3 client-2 ${read}`, '4 5 client-3 put b "1" => ok 4'),
    ).toEqual(['put b called at 4 took commit_seq 4, though 5 was known before']);
  },
);

it('finds a position that two concurrent writes took', () => {
  expect(faultsOf('1 4 client-1 put a "1" => ok 1', '2 3 client-2 put b "1" => ok 1')).toEqual([
    'put b called at 2 and put a called at 1 both took commit_seq 1',
  ]);
});

it('finds a read that missed what was written before a position that was known', () => {
  expect(
    faultsOf(
      '1 2 client-1 put a "1" => ok 1',
      '3 8 client-1 put a "2" => ok 2',
      '4 5 client-2 put b "1" => ok 3',
      '6 7 client-2 get a => "1" 1',
    ),
  ).toEqual(['get a called at 6 found 1, though 2 was written and 3 was known before']);
});

describe('a batch', () => {
  const write = (id: string, commitSeq: number, batch: string): Operation<ObjectInput, ObjectOutput> => ({
    process: 'client-1',
    input: { op: 'put', id, value: '1', batch },
    calledAt: 1,
    completion: { output: { kind: 'ok', commitSeq }, returnedAt: 2 },
  });

  it('has one position', () => {
    expect(findCommitOrderFaults([write('a', 1, 'x'), write('b', 1, 'x')])).toEqual([]);
    expect(findCommitOrderFaults([write('a', 1, 'x'), write('b', 2, 'x')])).toEqual([
      'put b called at 1 took commit_seq 2, others of its batch 1',
    ]);
  });

  it('shares it with no other', () => {
    expect(findCommitOrderFaults([write('a', 1, 'x'), write('b', 1, 'y')])).toHaveLength(1);
  });

  it('is seen whole or not at all', () => {
    const read: Operation<ObjectInput, ObjectOutput> = {
      process: 'client-2',
      input: { op: 'get', id: 'b' },
      calledAt: 3,
      completion: { output: { kind: 'found', value: '0', commitSeq: 1 }, returnedAt: 4 },
    };
    const before = { ...write('b', 1, 'x'), calledAt: 0 };
    expect(findCommitOrderFaults([before, write('a', 2, 'y'), write('b', 2, 'y'), read])).toEqual([
      'get b called at 3 found 1, though 2 was written and 2 was known before',
    ]);
  });
});
