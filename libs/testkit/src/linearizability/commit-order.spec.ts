import { findCommitOrderFaults } from './commit-order';
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
