import { isLinearizableByBruteForce } from './brute-force';
import { checkHistory } from './check-history';
import { findCommitOrderFaults } from './commit-order';
import type { History } from './history';
import { objectModel, type ObjectInput, type ObjectOutput } from './models/object-model';
import { recordRandomHistory, seededNumbers } from './random-object-history';

/**
 * Goal: on random histories the checker accepts what really ran, and on wrong ones it says what trying every order
 * says. Method: a recorded run of a sequential store, with one answer changed. TEST_SEED replays one seed alone.
 */
const firstSeed = Number(process.env.TEST_SEED ?? 1);
const seeds = (count: number) =>
  Array.from({ length: process.env.TEST_SEED ? 1 : count }, (_, at) => firstSeed + at);

const small = [
  { clients: 3, operations: 7, ids: 1, unknownPercent: 25 },
  { clients: 4, operations: 6, ids: 1, unknownPercent: 45 },
];

function forSeeds(count: number, run: (below: (bound: number) => number) => void): void {
  for (const seed of seeds(count)) {
    try {
      run(seededNumbers(seed));
    } catch (cause) {
      throw new Error(`TEST_SEED=${seed}: ${(cause as Error).message}`, { cause });
    }
  }
}

/** The history with the answer of one operation replaced by what `change` makes of it. */
function withAnswer(
  history: History<ObjectInput, ObjectOutput>,
  at: number,
  change: (output: ObjectOutput) => ObjectOutput,
): History<ObjectInput, ObjectOutput> {
  return history.map((operation, index) => {
    const { completion } = operation;
    if (index !== at || !completion) return operation;
    return { ...operation, completion: { ...completion, output: change(completion.output) } };
  });
}

it('accepts every history of a sequential store', () => {
  forSeeds(300, (below) => {
    const shape = { clients: 2 + below(6), operations: 120, ids: 1 + below(3), unknownPercent: below(30) };
    const history = recordRandomHistory(below, shape);
    const result = checkHistory(objectModel, history);
    expect(result).toMatchObject({ verdict: 'linearizable' });
    expect(findCommitOrderFaults(history)).toEqual([]);
  });
});

it('refuses such a history once one read tells of a value that nobody wrote', () => {
  forSeeds(300, (below) => {
    const history = recordRandomHistory(below, { clients: 4, operations: 60, ids: 2, unknownPercent: 10 });
    const reads = history.flatMap(({ completion }, at) => (completion?.output.kind === 'found' ? [at] : []));
    if (reads.length === 0) return;
    const at = reads[below(reads.length)]!;
    const corrupted = withAnswer(
      history,
      at,
      (output) => ({ ...output, value: 'corrupted' }) as ObjectOutput,
    );
    expect(checkHistory(objectModel, corrupted)).toMatchObject({
      verdict: 'illegal',
      partitionKey: history[at]!.input.id,
    });
  });
});

it('agrees with trying every order, on sound histories and on changed ones', () => {
  const verdicts = { true: 0, false: 0 };
  forSeeds(2000, (below) => {
    const history = recordRandomHistory(below, small[below(2)]!);
    expect(isLinearizableByBruteForce(history)).toBe(true);
    const changed = withAnswer(history, below(history.length), (output) => changeSlightly(below, output));
    const expected = isLinearizableByBruteForce(changed);
    expect(checkHistory(objectModel, changed).verdict).toBe(expected ? 'linearizable' : 'illegal');
    verdicts[`${expected}`]++;
  });
  if (process.env.TEST_SEED) return;
  // Both kinds have to occur often, or the comparison shows nothing.
  expect(verdicts.true).toBeGreaterThan(300);
  expect(verdicts.false).toBeGreaterThan(300);
});

function changeSlightly(below: (bound: number) => number, output: ObjectOutput): ObjectOutput {
  if (output.kind === 'found' || (output.kind === 'ok' && output.commitSeq !== undefined)) {
    if (output.kind === 'found' && below(4) === 0) return { kind: 'absent' };
    return { ...output, commitSeq: Math.max(1, output.commitSeq! + below(5) - 2) };
  }
  if (output.kind === 'precondition_failed')
    return below(2) ? { kind: 'ok', commitSeq: 1 + below(9) } : { ...output, currentCommitSeq: below(9) };
  return output.kind === 'absent'
    ? { kind: 'found', value: 'same', commitSeq: 1 + below(9) }
    : { kind: 'absent' };
}
