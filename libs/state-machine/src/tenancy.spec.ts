/** Goal: a namespace that moves between groups arrives as it was, and leaves nothing. Method: two states, real commands. */
import { encodeCommand } from '#codec';
import type {
  Applied,
  Command,
  CommitSeq,
  LogIndex,
  Operation,
  RowPlace,
  TenancyState,
  Term,
} from '#contracts';
import { MemoryStateStore, sha256 } from '#testkit';
import { ApplyBatch } from './apply-batch';
import { firstRowFrom } from './apply-erase';
import { readApplied } from './counters';
import { evaluateRead } from './evaluate-read';
import { expiryKeyOf } from './expiring-rows';
import { NO_VALUE, Table } from './format';
import { namespacePrefix, prefixRange, tableRange } from './keys';
import { decodeRows, exportRows } from './portable-rows';
import { type DumpScope, openDump } from './open-dump';
import { parseWhere } from './query/where';
import { firstAvailable, readChanges } from './read-changes';
import { readTenancies } from './tenancies';
import { TouchedRows, exportPlaces, readBack } from './touched-rows';
import { readNamespace } from './namespaces';

const NS = 'agent://moves';
const OTHER = 'agent://stays';
const START_MS = Date.UTC(2026, 10, 23, 9);

/** Told of what is written to a store, as by the replica that has it. */
const followed = new Map<MemoryStateStore, TouchedRows>();

function run(store: MemoryStateStore, command: Command, tsMs = START_MS): Applied {
  const batch = new ApplyBatch(store, sha256);
  const index = (readApplied(store).appliedIndex + 1) as LogIndex;
  const applied = batch.apply(index, 2 as Term, encodeCommand(command, tsMs));
  const writes = batch.finish();
  store.write(writes);
  followed.get(store)?.wrote(writes);
  return applied;
}

function put(id: string, more: Partial<Extract<Operation, { op: 'put' }>> = {}): Operation {
  return { op: 'put', id, type: 'object', bodyJson: '{"a":1}', tags: { t: id }, parents: [], ...more };
}

function write(store: MemoryStateStore, ns: string, ...operations: readonly Operation[]): void {
  expect(run(store, { kind: 'write', ns, operations }).outcome.kind).toBe('done');
}

function become(store: MemoryStateStore, state: TenancyState, generation = 1, seqFloor = 0): string {
  return run(store, { kind: 'tenancy', ns: NS, generation, state, seqFloor: seqFloor as CommitSeq }).outcome
    .kind;
}

/** A query that an index answers, and what the index says of itself. */
function indexed(store: MemoryStateStore): unknown {
  const parsed = parseWhere({ '$.a': { gte: 1 } });
  const where = parsed.kind === 'where' ? parsed.conditions : [];
  const query = { kind: 'query', ns: NS, order: 'id', limit: 1_000, where } as const;
  return [
    evaluateRead(store, query, START_MS),
    evaluateRead(store, { kind: 'explain', ns: NS, query }, START_MS),
    evaluateRead(store, { kind: 'indexes', ns: NS }, START_MS),
  ];
}

/** A group with two namespaces, whose rows of every table are there; another with positions of its own. */
function twoGroups(): { from: MemoryStateStore; to: MemoryStateStore } {
  const from = new MemoryStateStore();
  run(from, { kind: 'indexes', ns: NS, paths: ['$.a'] });
  for (let at = 0; at < 30; at++) {
    write(from, NS, put(`o-${at % 20}`, at % 3 === 0 ? { ttlSeconds: 60 + at } : {}));
    write(from, OTHER, put(`o-${at % 7}`));
  }
  write(from, NS, { op: 'delete', id: 'o-4' }, put('late', { type: 'task' }));
  const idempotency = { key: 'once', fingerprint: 'f' };
  run(from, { kind: 'write', ns: NS, operations: [put('kept')], idempotency });
  run(from, { kind: 'lease', ns: NS, action: 'acquire', key: 'l', owner: 'w', ttlMs: 60_000 });
  run(from, { kind: 'compact', retentionMs: 1e9, retentionCommits: 40, limit: 1_000 });
  // One that is complete moves, and one that is half built goes on where it comes to.
  run(from, { kind: 'indexes', ns: NS, paths: ['$.a', '$'] });
  run(from, { kind: 'build', ns: NS, limit: 7, limitBytes: 1e6 });
  const to = new MemoryStateStore();
  write(to, OTHER, put('other'));
  run(to, { kind: 'compact', retentionMs: 0, retentionCommits: 0, limit: 1_000 }, START_MS + 5);
  return { from, to };
}

function copy(from: MemoryStateStore, to: MemoryStateStore, pageBytes: number): number {
  let after: RowPlace | undefined;
  let pages = 0;
  do {
    const { rows, next } = exportRows(from, NS, after, pageBytes);
    expect(run(to, { kind: 'import', ns: NS, generation: 1, rows }).outcome.kind).toBe('done');
    after = next;
    pages += 1;
  } while (after !== undefined);
  return pages;
}

function all(store: MemoryStateStore, ns = NS): unknown {
  const page = (request: object): unknown =>
    evaluateRead(store, { kind: 'query', ns, order: 'id', limit: 1_000, ...request }, START_MS);
  return [
    page({}),
    page({ order: '-commit_seq' }),
    page({ type: 'task' }),
    page({ tags: { t: 'o-3' } }),
    readChanges(store, ns, 1 as CommitSeq, 1e9).batches,
    firstAvailable(store, ns),
  ];
}

const rowsOf = (store: MemoryStateStore): string[] =>
  [...store.scan({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) })].map(([key, value]) =>
    Buffer.concat([key, value]).toString('latin1'),
  );

test.each([1, 300, 1e9])(
  'arrives with objects, indexes, history and expiry, in pages of %d bytes',
  (pageBytes) => {
    const { from, to } = twoGroups();
    expect(become(from, 'frozen')).toBe('done');
    expect(become(to, 'loading')).toBe('done');
    const pages = copy(from, to, pageBytes);
    expect(pages > 1).toBe(pageBytes < 1_000);
    expect(exportRows(to, NS, undefined, 1e9)).toEqual(exportRows(from, NS, undefined, 1e9));
    expect(all(to)).toEqual(all(from));
    expect(indexed(to)).toEqual(indexed(from));
    expect(indexed(to)).toMatchObject([
      { kind: 'page' },
      { plan: { index: 'field $.a', rowsReturned: 21 } },
      { ready: ['$.a'], building: ['$'] },
    ]);

    const { commitSeq } = readApplied(from);
    expect(become(to, 'here', 1, commitSeq)).toBe('done');
    const idempotency = { key: 'once', fingerprint: 'f' };
    const again = run(to, { kind: 'write', ns: NS, operations: [put('kept')], idempotency });
    expect(again.outcome).toMatchObject({ kind: 'done', replayed: true });
    const taken = run(to, { kind: 'lease', ns: NS, action: 'acquire', key: 'l', owner: 'x', ttlMs: 60_000 });
    expect(taken.outcome).toMatchObject({ kind: 'rejected', code: 'lease_held' });
    const rowsBefore = [...to.scan(tableRange(Table.fieldIndex))].length;
    expect(rowsBefore).toBe(21 + 7);
    for (let step = 0; step < 3; step++) run(to, { kind: 'build', ns: NS, limit: 7, limitBytes: 1e6 });
    expect([...to.scan(tableRange(Table.fieldIndex))].length).toBe(2 * 21);
    const applied = run(to, { kind: 'write', ns: NS, operations: [put('new')] });
    expect(applied.outcome).toMatchObject({ kind: 'done', commitSeq: commitSeq + 1 });
    // What goes by time or by age finds what came in.
    const expired = run(to, { kind: 'expire', limit: 1_000 }, START_MS + 86_400_000);
    expect(expired.changes.find(({ ns }) => ns === NS)?.events.length).toBe(5);
    run(to, { kind: 'compact', retentionMs: 0, retentionCommits: 0, limit: 10_000 }, START_MS + 1e9);
    expect(readChanges(to, NS, 1 as CommitSeq, 1e9).batches).toEqual([]);
  },
);

test.each([200, 2_000, 1e9])(
  'arrives as it is although it changes while it is copied, in pages of %d bytes',
  (pageBytes) => {
    const { from, to } = twoGroups();
    const touched = new TouchedRows(readNamespace(from, NS)!.number);
    followed.set(from, touched);
    become(to, 'loading');
    const take = (rows: Uint8Array): void => {
      expect(run(to, { kind: 'import', ns: NS, generation: 1, rows }).outcome.kind).toBe('done');
      expect(readBack(to, NS, rows)).toEqual(rows);
    };
    let after: RowPlace | undefined;
    let at = 0;
    const change = (): void => {
      at += 1;
      write(from, NS, put(`o-${at % 23}`, at % 4 === 0 ? { ttlSeconds: 9 + at } : { type: 'task' }));
      write(from, OTHER, put(`o-${at % 5}`));
      if (at % 6 === 0) write(from, NS, { op: 'delete', id: `o-${at % 23}` });
      const key = `l-${at % 3}`;
      run(from, { kind: 'lease', ns: NS, action: 'acquire', key, owner: `w-${key}`, ttlMs: 1_000 });
      run(from, { kind: 'expire', limit: 3 }, START_MS + at * 1_000);
      run(from, { kind: 'compact', retentionMs: 1e9, retentionCommits: 30, limit: 10 });
      const idempotency = { key: `k-${at}`, fingerprint: 'f' };
      run(from, { kind: 'write', ns: NS, operations: [put('kept')], idempotency });
    };
    do {
      const page = exportRows(from, NS, after, pageBytes);
      take(page.rows);
      if (at < 40) change();
      after = page.next;
    } while (after !== undefined);
    for (let round = 0; round < 3; round++) {
      if (round === 2) become(from, 'frozen');
      const places = touched.take();
      let next = 0;
      do {
        const page = exportPlaces(from, NS, places, { from: next, maxBytes: pageBytes });
        take(page.rows);
        if (round < 2) change();
        next = page.next;
      } while (next > 0 && next < places.length);
      if (next > 0) take(exportPlaces(from, NS, places, { from: next, maxBytes: 1e9 }).rows);
    }
    expect(exportRows(to, NS, undefined, 1e9)).toEqual(exportRows(from, NS, undefined, 1e9));
    expect(all(to)).toEqual(all(from));
    // Nothing of a namespace that was erased meanwhile is left either.
    while (run(to, { kind: 'erase', ns: NS, limit: 50 }).outcome.kind === 'done') {
      if (readNamespace(to, NS) === undefined) break;
    }
    expect(rowsOf(to).filter((row) => row.includes('o-1') && row.includes(NS))).toEqual([]);
    followed.clear();
  },
);

test('is erased in steps, without a trace, and others stay', () => {
  const { from } = twoGroups();
  const others = all(from, OTHER);
  become(from, 'frozen');
  expect(run(from, { kind: 'erase', ns: NS, limit: 10 }).outcome).toMatchObject({ kind: 'rejected' });
  become(from, 'away');
  let steps = 0;
  for (let left = true; left; steps++) {
    const { outcome } = run(from, { kind: 'erase', ns: NS, limit: 10 });
    if (outcome.kind !== 'done') throw new Error(outcome.detail);
    left = outcome.results.length > 0;
    // Whatever else the group does meanwhile finds its own rows in order.
    run(from, { kind: 'expire', limit: 2 }, START_MS + 61_000);
  }
  expect(steps).toBeGreaterThan(5);
  expect(rowsOf(from).filter((row) => row.includes('o-1') && row.includes(NS))).toEqual([]);
  expect(rowsOf(from).filter((row) => row.includes(NS)).length).toBe(1);
  expect(all(from, OTHER)).toEqual(others);
  expect(exportRows(from, NS, undefined, 1e9)).toEqual({ rows: new Uint8Array(0), next: undefined });
});

test('is erased from the place on where rows are left, and not forgotten while others are', () => {
  const { from } = twoGroups();
  become(from, 'away');
  const erase = (place: RowPlace | undefined): boolean => {
    const command = {
      kind: 'erase',
      ns: NS,
      limit: 10,
      ...(place === undefined ? {} : { from: place }),
    } as const;
    const { outcome } = run(from, command);
    if (outcome.kind !== 'done') throw new Error(outcome.detail);
    return outcome.results.length > 0;
  };
  let place: RowPlace | undefined = { table: Table.changes, rest: new Uint8Array(0) };
  let steps = 0;
  while (place !== undefined) {
    expect(erase(place)).toBe(true);
    place = firstRowFrom(from, NS, place);
    steps += 1;
  }
  expect(steps).toBeGreaterThan(3);
  // What came before the place is still there, and goes when nothing is left after it.
  expect(firstRowFrom(from, NS, undefined)).toMatchObject({ table: Table.heads });
  const last = { table: Table.keptOrder, rest: new Uint8Array(0) };
  for (steps = 0; erase(last);) steps += 1;
  expect(steps).toBeGreaterThan(0);
  expect(firstRowFrom(from, NS, undefined)).toBeUndefined();
  expect(readNamespace(from, NS)).toBeUndefined();
  expect(rowsOf(from).filter((row) => row.includes('o-1') && row.includes(NS))).toEqual([]);
});

test('is exported in pages that never look at many rows, though few of them have a time to live', () => {
  const { from } = twoGroups();
  const number = readNamespace(from, NS)?.number ?? 0;
  const [key, value] = [...from.scan(prefixRange(namespacePrefix(Table.heads, number)))].find(
    ([, head]) => expiryKeyOf(Table.heads, number, { rest: NO_VALUE, value: head }) === undefined,
  )!;
  const puts = Array.from({ length: 10_000 }, (_, at): [Uint8Array, Uint8Array] => {
    const id = Buffer.from(`many-${String(at).padStart(5, '0')}`);
    return [Buffer.concat([key.subarray(0, 5), id]), value];
  });
  from.write({ puts, deletes: [] });
  let pages = 0;
  let rows = 0;
  const expiring = new Set<string>();
  let after: RowPlace | undefined;
  do {
    const page = exportRows(from, NS, after, 1e9);
    for (const row of decodeRows(page.rows)) {
      rows += 1;
      if (row.table === Table.expiryIndex) expiring.add(Buffer.from(row.rest).toString('hex'));
    }
    after = page.next;
    pages += 1;
  } while (after !== undefined);
  expect(pages).toBe(3);
  expect(rows).toBeGreaterThan(10_000);
  expect(expiring.size).toBeGreaterThan(0);
});

test('is in no dump of a group that does not serve it any more', () => {
  const { from } = twoGroups();
  const dumped = (scope: DumpScope): string => {
    const dump = openDump(from, START_MS, scope);
    const objects = dump.next(1e9).map((json) => Buffer.from(json).toString());
    dump.close();
    return objects.join('\n');
  };
  expect(dumped({})).toContain(NS);
  const isServed = (ns: string): boolean => ns !== NS;
  expect(dumped({ isServed })).toContain(OTHER);
  expect(dumped({ isServed })).not.toContain(NS);
  expect(dumped({ ns: NS, isServed })).toBe('');
});

describe('a tenancy', () => {
  it('goes one way within a generation, and never back to an older one', () => {
    const { from, to } = twoGroups();
    expect([become(from, 'frozen', 2), become(from, 'frozen', 1)]).toEqual(['done', 'rejected']);
    expect([become(from, 'away', 2), become(from, 'frozen', 2)]).toEqual(['done', 'done']);
    expect(readTenancies(from).get(NS)).toEqual({ generation: 2, state: 'away' });
    expect(become(from, 'loading', 2)).toBe('rejected');

    expect(run(to, { kind: 'import', ns: NS, generation: 1, rows: new Uint8Array(0) }).outcome.kind).toBe(
      'rejected',
    );
    expect([become(to, 'loading'), become(to, 'loading'), become(to, 'here'), become(to, 'loading')]).toEqual(
      ['done', 'done', 'done', 'done'],
    );
    expect(readTenancies(to).get(NS)).toEqual({ generation: 1, state: 'here' });
  });

  it('is not loaded into over rows of an earlier time', () => {
    const { from } = twoGroups();
    become(from, 'frozen', 1);
    become(from, 'away', 1);
    expect(become(from, 'loading', 2)).toBe('rejected');
    while (readApplied(from).appliedIndex < 1_000) {
      const { outcome } = run(from, { kind: 'erase', ns: NS, limit: 1_000 });
      if (outcome.kind === 'done' && outcome.results.length === 0) break;
    }
    expect(become(from, 'loading', 2)).toBe('done');
  });
});
