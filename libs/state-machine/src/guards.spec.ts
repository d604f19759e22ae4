/** Goal: rules of leases, kept answers and reads of the past that no client can wait for, each by example. */
import { encodeCommand } from '#codec';
import type { Applied, Command, CommitSeq, LogIndex, Operation, Term } from '#contracts';
import { MemoryStateStore, sha256 } from '#testkit';
import { ApplyBatch } from './apply-batch';
import { BatchState } from './batch-state';
import { readApplied } from './counters';
import { evaluateRead } from './evaluate-read';
import { Table } from './format';
import { keepAnswer } from './kept-answers';
import { tableRange } from './keys';
import { nextExpiryMs } from './next-expiry';
import { firstAvailable } from './read-changes';

const NS = 'agent://demo';
const START_MS = Date.UTC(2026, 10, 23, 9);
const DAY_MS = 86_400_000;

let store: MemoryStateStore;
beforeEach(() => {
  store = new MemoryStateStore();
});

function run(command: Command, tsMs = START_MS): Applied {
  const batch = new ApplyBatch(store, sha256);
  const index = (readApplied(store).appliedIndex + 1) as LogIndex;
  const applied = batch.apply(index, 2 as Term, encodeCommand(command, tsMs));
  store.write(batch.finish());
  return applied;
}

const put = (id: string): Operation => ({ op: 'put', id, type: 't', bodyJson: '1', tags: {}, parents: [] });
const write = (id: string, key: string | undefined, tsMs: number): Applied =>
  run(
    {
      kind: 'write',
      ns: NS,
      operations: [put(id)],
      ...(key === undefined ? {} : { idempotency: { key, fingerprint: id } }),
    },
    tsMs,
  );
const acquire = (owner: string, tsMs: number, ttlMs = 1_000): Applied =>
  run({ kind: 'lease', ns: NS, action: 'acquire', key: 'l', owner, ttlMs }, tsMs);
const tokenOf = ({ outcome }: Applied): number | undefined => {
  const result = outcome.kind === 'done' ? outcome.results[0] : undefined;
  return result?.kind === 'lease' ? result.lease.token : undefined;
};
const rowsOf = (table: number): number => [...store.scan(tableRange(table))].length;

describe('a lease', () => {
  it('ends by the time of the log alone, which a clock that is behind does not turn back', () => {
    const first = tokenOf(acquire('a', START_MS));
    write('x', undefined, START_MS + 5_000);
    expect(evaluateRead(store, { kind: 'lease', ns: NS, key: 'l' }, START_MS)).toEqual({ kind: 'absent' });
    // A leader whose clock is behind cannot prolong what has ended.
    const late = run(
      { kind: 'lease', ns: NS, action: 'renew', key: 'l', owner: 'a', token: first, ttlMs: 9_000 },
      START_MS,
    );
    expect(late.outcome).toMatchObject({ kind: 'rejected', code: 'lease_lost' });
    expect(tokenOf(acquire('b', START_MS))).toBeGreaterThan(first as number);
    // Nor does a reader whose clock is ahead end it.
    const ahead = evaluateRead(store, { kind: 'lease', ns: NS, key: 'l' }, START_MS + 10 * DAY_MS);
    expect(ahead).toMatchObject({ kind: 'lease', lease: { owner: 'b' } });
  });

  it('leaves nothing behind once it has ended and the log has said so, and its tokens go on growing', () => {
    const first = tokenOf(acquire('a', START_MS)) as number;
    expect(nextExpiryMs(store)).toBe(START_MS + 1_000);
    const expired = run({ kind: 'expire', limit: 10 }, START_MS + 1_000);
    expect([expired.changes, rowsOf(Table.leases), rowsOf(Table.expiryIndex)]).toEqual([[], 0, 0]);
    expect(tokenOf(acquire('a', START_MS + 2_000))).toBeGreaterThan(first);
  });
});

describe('kept answers', () => {
  it('go a day later, as many at a time as the command says, and then leave nothing behind', () => {
    for (let at = 0; at < 5; at++) write(`x${at}`, `k${at}`, START_MS + at);
    expect(nextExpiryMs(store)).toBe(START_MS + DAY_MS);
    expect(write('x0', 'k0', START_MS + DAY_MS - 1).outcome).toMatchObject({ kind: 'done', replayed: true });
    run({ kind: 'expire', limit: 2 }, START_MS + DAY_MS + 10);
    expect([rowsOf(Table.keptAnswers), rowsOf(Table.keptOrder)]).toEqual([3, 3]);
    expect(nextExpiryMs(store)).toBe(START_MS + DAY_MS + 2);
    run({ kind: 'expire', limit: 9 }, START_MS + DAY_MS + 10);
    expect([rowsOf(Table.keptAnswers), rowsOf(Table.keptOrder), rowsOf(Table.expiryIndex)]).toEqual([
      0, 0, 0,
    ]);
    expect(write('x0', 'k0', START_MS + DAY_MS + 11).outcome).not.toHaveProperty('replayed');
  });

  it('that have ended and are still there do not count, and are replaced in their place', () => {
    write('a', 'k', START_MS);
    write('b', 'm', START_MS + 1);
    const again = write('c', 'k', START_MS + DAY_MS);
    expect(again.outcome).toMatchObject({ kind: 'done', commitSeq: 3 });
    for (let round = 0; round < 4; round++) run({ kind: 'expire', limit: 1 }, START_MS + DAY_MS + 1);
    expect([rowsOf(Table.keptAnswers), nextExpiryMs(store)]).toEqual([1, START_MS + 2 * DAY_MS]);
  });

  it('are bounded in number and in bytes: the oldest go', () => {
    const state = new BatchState(store);
    const ns = state.createNamespace(NS);
    const outcome = { kind: 'done', commitSeq: 1 as CommitSeq, results: [] } as const;
    const keep = (key: string, answers: number, bytes: number): void =>
      keepAnswer(state, ns, { key, fingerprint: 'f' }, outcome, {
        tsMs: START_MS,
        limits: { answers, bytes, forMs: DAY_MS },
      });
    const held = (): number => [...state.rows.scan(tableRange(Table.keptAnswers))].length;
    for (let at = 0; at < 10; at++) keep(`k${at}`, 4, 1_000_000);
    expect(held()).toBe(4);
    keep('another', 100, 250);
    expect(held()).toBeLessThan(4);
    keep('x'.repeat(200), 100, 100);
    expect(held()).toBe(1);
  });
});

describe('the past', () => {
  it('is compacted where the history does not reach, and says where it begins', () => {
    for (let at = 0; at < 4; at++) write('a', undefined, START_MS + at * 1_000);
    write('b', undefined, START_MS + 5_000);
    run({ kind: 'compact', retentionMs: DAY_MS, retentionCommits: 2, limit: 100 }, START_MS + 6_000);
    const first = firstAvailable(store, NS);
    expect(first).toBe(4);
    const at = (moment: { seq: number } | { timeMs: number }, id = 'a') =>
      evaluateRead(store, { kind: 'get', ns: NS, id, at: moment }, START_MS + 6_000);
    const gone = { kind: 'rejected', code: 'compacted', extras: { first_available: 4 } };
    expect(at({ seq: 3 })).toMatchObject(gone);
    expect(at({ timeMs: START_MS + 2_500 })).toMatchObject(gone);
    expect(at({ timeMs: START_MS + 2_500 }, 'never')).toMatchObject(gone);
    expect(at({ seq: 4 })).toMatchObject({ kind: 'object', commitSeq: 4 });
    expect(at({ timeMs: START_MS + 3_500 })).toMatchObject({ kind: 'object', commitSeq: 4 });
    expect(at({ seq: 4 }, 'b')).toEqual({ kind: 'absent' });
    run({ kind: 'compact', retentionMs: 0, retentionCommits: 0, limit: 100 }, START_MS + 7_000);
    expect(at({ seq: 5 })).toMatchObject({ kind: 'object', commitSeq: 4 });
    const held = evaluateRead(store, { kind: 'history', ns: NS, id: 'a', limit: 9 }, START_MS);
    expect(held.kind === 'page' && held.objects).toHaveLength(1);
  });
});
