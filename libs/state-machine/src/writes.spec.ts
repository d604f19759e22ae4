/** Goal: single rules of writes, expiry and compaction, each by example. */
import { encodeCommand } from '#codec';
import type { Applied, Command, CommandOutcome, CommitSeq, LogIndex, Operation, Term } from '#contracts';
import { MemoryStateStore, sha256 } from '#testkit';
import { ApplyBatch } from './apply-batch';
import { readApplied } from './counters';
import { evaluateRead } from './evaluate-read';
import { UnknownStateFormat } from './format';
import { COUNTERS_KEY, tableRange } from './keys';
import { Table } from './format';
import { readNamespace } from './namespaces';
import { nextExpiryMs } from './next-expiry';
import { firstAvailable, oldestCommit, readChanges } from './read-changes';

const NS = 'agent://demo';
const START_MS = Date.UTC(2026, 10, 23, 9);

let store: MemoryStateStore;
beforeEach(() => {
  store = new MemoryStateStore();
});

function run(command: Command, tsMs = START_MS): Applied {
  const batch = new ApplyBatch(store, sha256);
  const applied = batch.apply(
    (readApplied(store).appliedIndex + 1) as LogIndex,
    2 as Term,
    encodeCommand(command, tsMs),
  );
  store.write(batch.finish());
  return applied;
}

function write(operations: readonly Operation[], tsMs = START_MS): CommandOutcome {
  return run({ kind: 'write', ns: NS, operations }, tsMs).outcome;
}

function put(id: string, more: Partial<Extract<Operation, { op: 'put' }>> = {}): Operation {
  return { op: 'put', id, type: 'object', bodyJson: 'null', tags: {}, parents: [], ...more };
}

function jsonOf(outcome: CommandOutcome, index = 0): Record<string, unknown> {
  const result = outcome.kind === 'done' ? outcome.results[index] : undefined;
  if (result?.kind !== 'object') throw new Error(`no object in ${JSON.stringify(outcome)}`);
  return JSON.parse(Buffer.from(result.json).toString()) as Record<string, unknown>;
}

describe('an object', () => {
  it('reads as the contract shows it, key by key', () => {
    const tags = { type: 'task', priority: 'high' };
    const bodyJson = '{"status":"running","progress":0.1}';
    const outcome = write([
      put('task-1', { type: 'task', bodyJson, tags, ttlSeconds: 3600, parents: ['p"1'] }),
    ]);
    const result = outcome.kind === 'done' ? outcome.results[0] : undefined;
    const text = result?.kind === 'object' ? Buffer.from(result.json).toString() : '';
    const commit = String(jsonOf(outcome)['commit']);
    expect(text).toBe(
      '{"id":"task-1","ns":"agent://demo","type":"task","body":{"status":"running","progress":0.1},' +
        '"tags":{"priority":"high","type":"task"},"ttl_seconds":3600,"expires_at":"2026-11-23T10:00:00.000Z",' +
        `"parents":["p\\"1"],"commit":"${commit}","commit_seq":1,"created_seq":1,"ts":"2026-11-23T09:00:00.000Z"}`,
    );
    const answer = evaluateRead(store, { kind: 'get', ns: NS, id: 'task-1' }, START_MS);
    expect(answer).toEqual({ kind: 'object', json: Buffer.from(text), commitSeq: 1 });
  });

  it('keeps the text of its body, numbers and all', () => {
    const bodyJson = '{"n":1.0,"big":123456789012345678901234567890,"e":1E3}';
    const outcome = write([put('a', { bodyJson })]);
    const result = outcome.kind === 'done' ? outcome.results[0] : undefined;
    expect(result?.kind === 'object' && Buffer.from(result.json).toString()).toContain(`"body":${bodyJson},`);
  });

  it('has a digest of its content alone: not of its position, its time or its conditions', () => {
    const digestOf = (id: string, more: Parameters<typeof put>[1], tsMs = START_MS): unknown =>
      jsonOf(write([put(id, more)], tsMs))['commit'];
    const first = digestOf('a', { tags: { x: '1', y: '2' } });
    expect(digestOf('a', { tags: { y: '2', x: '1' }, ifMatch: 1 as CommitSeq }, START_MS + 5)).toBe(first);
    for (const other of [
      { bodyJson: '0' },
      { type: 't' },
      { tags: { x: '1' } },
      { ttlSeconds: 0 },
      { parents: ['p'] },
    ]) {
      expect(digestOf('a', { tags: { x: '1', y: '2' }, ...other })).not.toBe(first);
    }
    expect(digestOf('b', { tags: { x: '1', y: '2' } })).not.toBe(first);
  });

  it('keeps created_seq over replacements and gets a new one after it was deleted or had expired', () => {
    expect(jsonOf(write([put('a')]))).toMatchObject({ commit_seq: 1, created_seq: 1 });
    expect(jsonOf(write([put('a', { ttlSeconds: 1 })]))).toMatchObject({ commit_seq: 2, created_seq: 1 });
    expect(jsonOf(write([put('a')], START_MS + 1000))).toMatchObject({ commit_seq: 3, created_seq: 3 });
    write([{ op: 'delete', id: 'a' }]);
    expect(jsonOf(write([put('a')]))).toMatchObject({ commit_seq: 5, created_seq: 5 });
  });
});

describe('a write', () => {
  it('is done whole at one position, or refused whole without one', () => {
    write([put('a'), put('b')]);
    const refused = write([put('c'), put('a', { ifNoneMatch: true })]);
    expect(refused).toMatchObject({
      kind: 'rejected',
      code: 'precondition_failed',
      extras: { current_commit_seq: 1 },
    });
    expect(evaluateRead(store, { kind: 'get', ns: NS, id: 'c' }, START_MS)).toEqual({ kind: 'absent' });
    expect(readApplied(store).commitSeq).toBe(1);
    expect(jsonOf(write([put('d'), put('e')]), 1)['commit_seq']).toBe(2);
  });

  it('is refused by each condition that does not hold', () => {
    expect(write([put('a', { ifMatch: 1 as CommitSeq })])).toMatchObject({
      code: 'precondition_failed',
      extras: {},
    });
    expect(write([{ op: 'delete', id: 'a', ifMatch: 1 as CommitSeq }])).toMatchObject({ code: 'not_found' });
    expect(write([put('a', { ifNoneMatch: true })])).toMatchObject({ kind: 'done' });
    expect(write([{ op: 'delete', id: 'a', ifMatch: 9 as CommitSeq }])).toMatchObject({
      code: 'precondition_failed',
    });
    expect(write([put('x'), { op: 'delete', id: 'x' }])).toMatchObject({ code: 'invalid_request' });
    expect(write([])).toMatchObject({ code: 'invalid_request' });
  });

  it('never goes back in time', () => {
    write([put('a')], START_MS);
    expect(jsonOf(write([put('b')], START_MS - 5000))['ts']).toBe(new Date(START_MS).toISOString());
  });
});

describe('entries', () => {
  it('that are empty or not for the state move the applied index alone', () => {
    const batch = new ApplyBatch(store, sha256);
    expect(batch.apply(1 as LogIndex, 4 as Term, new Uint8Array(0)).changes).toEqual([]);
    batch.skip(2 as LogIndex, 5 as Term);
    store.write(batch.finish());
    expect(readApplied(store)).toMatchObject({ appliedIndex: 2, appliedTerm: 5, commitSeq: 0, lastTsMs: 0 });
  });

  it('must come without a gap', () => {
    const batch = new ApplyBatch(store, sha256);
    expect(() => batch.apply(2 as LogIndex, 1 as Term, new Uint8Array(0))).toThrow(/entry 2 applied after 0/);
  });

  it('are refused on a state of a newer format', () => {
    write([put('a')]);
    const row = Uint8Array.from(store.get(COUNTERS_KEY) as Uint8Array);
    row[1] = 9;
    store.write({ puts: [[COUNTERS_KEY, row]], deletes: [] });
    expect(() => new ApplyBatch(store, sha256)).toThrow(UnknownStateFormat);
  });
});

describe('expiry', () => {
  it('goes by the time of the command, soonest first, within its limit', () => {
    write([put('late', { ttlSeconds: 9 }), put('b', { ttlSeconds: 1 }), put('a', { ttlSeconds: 1 })]);
    expect(nextExpiryMs(store)).toBe(START_MS + 1000);
    expect(run({ kind: 'expire', limit: 5 }, START_MS + 999)).toEqual({
      outcome: { kind: 'done', commitSeq: 1, results: [] },
      changes: [],
    });
    const first = run({ kind: 'expire', limit: 1 }, START_MS + 9000);
    expect(first.changes[0]?.events).toMatchObject([{ kind: 'delete', reason: 'expired', id: 'a' }]);
    const rest = run({ kind: 'expire', limit: 5 }, START_MS + 9000);
    expect(rest.changes[0]?.events.map(({ id }) => id)).toEqual(['b', 'late']);
    expect(nextExpiryMs(store)).toBeUndefined();
  });
});

describe('compaction', () => {
  it('leaves nothing behind but what is live', () => {
    write([put('a', { tags: { t: '1' } })]);
    write([put('a'), put('b', { ttlSeconds: 1 })]);
    write([{ op: 'delete', id: 'a' }]);
    run({ kind: 'expire', limit: 5 }, START_MS + 1000);
    write([put('c')], START_MS + 1000);
    expect(oldestCommit(store)).toEqual({ commitSeq: 1, tsMs: START_MS });
    run({ kind: 'compact', retentionMs: 0, retentionCommits: 0, limit: 100 }, START_MS + 1000);
    for (const table of [Table.versions, Table.commits, Table.tagIndex, Table.expiryIndex]) {
      expect([...store.scan(tableRange(table))]).toEqual([]);
    }
    for (const table of [Table.heads, Table.changes, Table.typeIndex]) {
      expect([...store.scan(tableRange(table))]).toHaveLength(1);
    }
    expect(readNamespace(store, NS)).toMatchObject({ objects: 1, changes: 1 });
    expect(firstAvailable(store, NS)).toBe(6);
    expect(oldestCommit(store)).toBeUndefined();
  });

  it('goes on where it stopped, and keeps what the remaining history shows', () => {
    for (let round = 0; round < 4; round++) write([put('a', { bodyJson: String(round) })], START_MS + round);
    run({ kind: 'compact', retentionMs: 0, retentionCommits: 1, limit: 2 }, START_MS + 3);
    expect(firstAvailable(store, NS)).toBe(3);
    const bodies = readChanges(store, NS, 3 as CommitSeq, 1e6).batches.flatMap(({ events }) =>
      events.map(({ object }) => (JSON.parse(Buffer.from(object ?? []).toString()) as { body: number }).body),
    );
    expect(bodies).toEqual([2, 3]);
    run({ kind: 'compact', retentionMs: 0, retentionCommits: 1, limit: 2 }, START_MS + 3);
    expect(firstAvailable(store, NS)).toBe(4);
  });

  it('does not take away history of a namespace that had none', () => {
    write([put('a')]);
    run({ kind: 'compact', retentionMs: 0, retentionCommits: 0, limit: 10 }, START_MS + 1);
    expect(firstAvailable(store, 'another')).toBe(1);
  });
});
