import { encodeCommand } from '#codec';
import type { CommandOutcome, CommitSeq, LogIndex, Operation, Term } from '#contracts';
import { ApplyBatch, readApplied } from '#state-machine';
import { MemoryStateStore } from '../memory-state-store';
import { sha256 } from '../state-replay';
import { DecidedHistory } from './decided-history';
import { type AskedWrite, faultOfDone, faultOfRefusal } from './decided-writes';
import { OBJECTS } from './world';

/**
 * Goal: an answer that does not go with what is decided is found, and one that does is not. Method: the real state
 * machine decides a few writes, and answers are compared as they are, and changed in one thing.
 */
type Done = Extract<CommandOutcome, { kind: 'done' }>;
type Rejected = Extract<CommandOutcome, { kind: 'rejected' }>;

let store: MemoryStateStore;
let decided: DecidedHistory;
beforeEach(() => {
  store = new MemoryStateStore();
  decided = new DecidedHistory([OBJECTS]);
});

const put = (id: string, value: string, ifMatch?: number): Operation => ({
  op: 'put',
  id,
  type: 't',
  bodyJson: JSON.stringify(value),
  tags: {},
  parents: [],
  ...(ifMatch !== undefined && { ifMatch: ifMatch as CommitSeq }),
});
const check = (id: string, ifMatch?: number): Operation => ({
  op: 'check',
  id,
  ...(ifMatch !== undefined && { ifMatch: ifMatch as CommitSeq }),
});

function decide(operations: readonly Operation[], tsMs = 1_000): CommandOutcome {
  const batch = new ApplyBatch(store, sha256);
  const index = (readApplied(store).appliedIndex + 1) as LogIndex;
  const { outcome } = batch.apply(
    index,
    1 as Term,
    encodeCommand({ kind: 'write', ns: OBJECTS, operations }, tsMs),
  );
  store.write(batch.finish());
  decided.compare('node 1', store, readApplied(store).commitSeq);
  return outcome;
}

const done = (operations: readonly Operation[]): Done => decide(operations) as Done;
const asked = (operations: readonly Operation[], knownBefore = 0): AskedWrite => ({
  ns: OBJECTS,
  operations,
  knownBefore,
});

describe('a write that was done', () => {
  it('goes with what is decided at its position', () => {
    const first = [put('a', '1'), put('b', '1')];
    expect(faultOfDone(decided, asked(first), done(first))).toBeUndefined();
    const second = [put('a', '2', 1), check('b', 1)];
    expect(faultOfDone(decided, asked(second, 1), done(second))).toBeUndefined();
    const third = [check('a', 2), check('b', 1)];
    expect(faultOfDone(decided, asked(third, 2), done(third))).toBeUndefined();
  });

  it('is found where it is not whole, not there, or another one', () => {
    const outcome = done([put('a', '1')]);
    expect(faultOfDone(decided, asked([put('a', '1'), put('b', '1')]), outcome)).toContain('asked for');
    expect(faultOfDone(decided, asked([put('a', '2')]), outcome)).toContain('asked for');
    const elsewhere = { ...outcome, commitSeq: 2 as CommitSeq };
    expect(faultOfDone(decided, asked([put('a', '1')]), elsewhere)).toContain('no replica has that');
  });

  it('is found where its conditions did not hold', () => {
    done([put('a', '1')]);
    const outcome = done([put('a', '2')]);
    expect(faultOfDone(decided, asked([put('a', '2', 7)]), outcome)).toContain('precondition_failed');
    expect(faultOfDone(decided, asked([put('a', '2'), check('b')]), outcome)).toContain('operation 1');
    expect(faultOfDone(decided, asked([{ op: 'delete', id: 'b' }]), outcome)).toContain('not_found');
  });

  it('is found where it took a position that was known before it was asked for', () => {
    const outcome = done([put('a', '1')]);
    expect(faultOfDone(decided, asked([put('a', '1')], 1), outcome)).toContain('was known before');
  });
});

describe('a write that was refused', () => {
  const rejected = (operations: readonly Operation[]): Rejected => decide(operations) as Rejected;

  it('had to be at some position while it was under way', () => {
    done([put('a', '1')]);
    const operations = [put('b', '1'), put('a', '2', 9)];
    const refusal = rejected(operations);
    done([put('a', '3')]);
    expect(faultOfRefusal(decided, asked(operations, 1), refusal)).toBeUndefined();
    // Told of position 2 before it asked, it may not be told of a version that was gone then.
    expect(faultOfRefusal(decided, asked(operations, 2), refusal)).toContain('held at no position from 2 on');
  });

  it('is found where its conditions held all the time', () => {
    done([put('a', '1')]);
    const refusal = rejected([put('a', '2', 9)]);
    expect(faultOfRefusal(decided, asked([put('a', '2', 1)]), refusal)).toBeDefined();
    expect(faultOfRefusal(decided, asked([{ op: 'delete', id: 'a' }], 1), refusal)).toBeDefined();
  });
});

describe('what is decided', () => {
  it('holds no value twice', () => {
    done([put('a', '1')]);
    expect(() => decide([put('a', '1')])).toThrow('an effect came twice: a "1" was put at 1 and at 2');
  });
});
