import { checkHistory } from './check-history';
import { HistoryRecorder, type Operation } from './history';
import type { Model } from './model';
import { objectModel } from './models/object-model';
import { registerModel, type RegisterInput, type RegisterOutput } from './models/register-model';
import { recordRandomHistory, seededNumbers } from './random-object-history';

/** Goal: what the checker promises beside the verdicts themselves: limits, times, nondeterminism, size. */
type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const write = (value: number, calledAt: number, returnedAt?: number): RegisterOperation => ({
  process: value,
  input: { op: 'write', value },
  calledAt,
  ...(returnedAt === undefined ? {} : { completion: { output: { kind: 'done' }, returnedAt } }),
});
const read = (value: number | null, calledAt: number, returnedAt: number): RegisterOperation => ({
  process: 'reader',
  input: { op: 'read' },
  calledAt,
  completion: { output: { kind: 'value', value }, returnedAt },
});
const verdictOf = (...history: RegisterOperation[]) => checkHistory(registerModel, history).verdict;

it('accepts a history without operations', () => {
  expect(verdictOf()).toBe('linearizable');
});

it('takes an operation that is called when another returns as concurrent with it', () => {
  expect(verdictOf(write(1, 1, 2), read(null, 2, 3))).toBe('linearizable');
  expect(verdictOf(write(1, 1, 2), read(null, 3, 4))).toBe('illegal');
});

it('lets an operation of unknown outcome happen once, at any time after its call, or never', () => {
  expect(verdictOf(write(1, 1), read(null, 2, 3))).toBe('linearizable');
  expect(verdictOf(write(1, 1), read(null, 2, 3), read(1, 4, 5))).toBe('linearizable');
  expect(verdictOf(write(1, 1), read(1, 2, 3), read(null, 4, 5))).toBe('illegal');
  expect(verdictOf(read(1, 2, 3), write(1, 4))).toBe('illegal');
  expect(verdictOf(write(1, 1), read(1, 2, 3), write(2, 4, 5), read(1, 6, 7))).toBe('illegal');
});

it('does not depend on the order in which operations are listed', () => {
  expect(verdictOf(read(2, 5, 6), write(2, 3, 4), write(1, 1, 2))).toBe('linearizable');
});

it('reports the longest prefix and what could not be placed', () => {
  const result = checkHistory(registerModel, [write(1, 1, 2), write(2, 3, 4), read(1, 5, 7), write(3, 6, 8)]);
  expect(result).toMatchObject({
    verdict: 'illegal',
    partitionKey: 'register',
    longestPrefix: [write(1, 1, 2), write(2, 3, 4), write(3, 6, 8)],
    unplaced: [read(1, 5, 7)],
  });
});

it('follows every state that a nondeterministic operation may lead to', () => {
  type Output = number | 'rolled';
  const die: Model<number, 'roll' | 'look', Output> = {
    partition: (history) => [{ key: 'die', history }],
    init: () => 0,
    step: (state, input, output) => (input === 'roll' ? [1, 2, 3, 4, 5, 6] : output === state ? [state] : []),
    stepUnknown: (state, input) => (input === 'roll' ? [1, 2, 3, 4, 5, 6] : [state]),
    isReadOnly: (input) => input === 'look',
    covers: (state, other) => state === other,
    hash: (state) => state,
    describeInput: (input) => input,
    describeOutput: String,
    describeState: String,
  };
  const verdictOfLooks = (looks: number[]) => {
    const recorder = new HistoryRecorder<'roll' | 'look', Output>();
    recorder.complete(recorder.call('player', 'roll'), 'rolled');
    for (const look of looks) recorder.complete(recorder.call('player', 'look'), look);
    return checkHistory(die, recorder.history()).verdict;
  };
  expect(verdictOfLooks([5, 5])).toBe('linearizable');
  expect(verdictOfLooks([7])).toBe('illegal');
  expect(verdictOfLooks([5, 4])).toBe('illegal');
});

describe('limits', () => {
  // Every set of the concurrent writes can be the past of every value, and none explains the read.
  const hard = [...Array.from({ length: 16 }, (_, value) => write(value, 1, 100)), read(99, 2, 50)];

  it('is undecided after so many configurations, the same on every machine', () => {
    const check = () => checkHistory(registerModel, hard, { configurationLimit: 5_000 });
    expect(check()).toMatchObject({
      verdict: 'unknown',
      partitionKey: 'register',
      reason: 'configuration_limit',
    });
    expect(check()).toEqual(check());
  });

  it('is undecided when time is up', () => {
    let time = 0;
    const result = checkHistory(registerModel, hard, { timeLimitMs: 10, now: () => time++ });
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'time_limit' });
  });

  it('still finds another partition illegal', () => {
    const model: typeof registerModel = {
      ...registerModel,
      partition: () => [
        { key: 'hard', history: hard },
        { key: 'wrong', history: [read(1, 1, 2)] },
      ],
    };
    const result = checkHistory(model, [], { configurationLimit: 5_000 });
    expect(result).toMatchObject({ verdict: 'illegal', partitionKey: 'wrong' });
  });
});

it.each([
  { ids: 50, unknownPercent: 2 },
  { ids: 1, unknownPercent: 0 },
])('checks 10,000 operations over $ids ids, $unknownPercent % without answer', ({ ids, unknownPercent }) => {
  const history = recordRandomHistory(seededNumbers(7), {
    clients: 16,
    operations: 10_000,
    ids,
    unknownPercent,
  });
  expect(checkHistory(objectModel, history)).toMatchObject({ verdict: 'linearizable', partitions: ids });
});

it('copes with a hundred operations of unknown outcome on one register', () => {
  const lost = Array.from({ length: 100 }, (_, at) => write(at, at));
  const reads = Array.from({ length: 100 }, (_, at) => read((at * 7) % 100, 200 + 2 * at, 201 + 2 * at));
  expect(verdictOf(...lost, ...reads)).toBe('linearizable');
  expect(verdictOf(...lost, ...reads.slice(0, 20), read(0, 500, 501))).toBe('illegal');
});

it('refuses times that run backwards and answers that come twice', () => {
  expect(() => verdictOf(write(1, 2, 1))).toThrow('returned before it was called');
  const recorder = new HistoryRecorder<string, string>();
  const handle = recorder.call('client', 'input');
  recorder.complete(handle, 'output');
  expect(() => recorder.complete(handle, 'output')).toThrow('completed twice');
  expect(() => recorder.complete(7, 'output')).toThrow('no operation');
});
