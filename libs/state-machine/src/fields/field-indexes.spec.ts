/** Goal: rules of field indexes that random histories reach seldom or cannot show: plans, limits, edges of values. */
import { encodeCommand } from '#codec';
import {
  LIMITS,
  type Applied,
  type Command,
  type CommitSeq,
  type LogIndex,
  type Operation,
  type QueryPlan,
  type QueryRequest,
  type ReadOutcome,
  type Term,
} from '#contracts';
import { MemoryStateStore, sha256 } from '#testkit';
import { ApplyBatch } from '../apply-batch';
import { readApplied } from '../counters';
import { evaluateRead } from '../evaluate-read';
import { Table } from '../format';
import { tableRange } from '../keys';
import { parseWhere } from '../query/where';

const NS = 'agent://indexed';
const NOW_MS = Date.UTC(2026, 10, 23, 9);

let store: MemoryStateStore;
beforeEach(() => {
  store = new MemoryStateStore();
});

function run(...commands: Command[]): Applied {
  const batch = new ApplyBatch(store, sha256);
  const applied = commands.map((command) =>
    batch.apply((readApplied(store).appliedIndex + 1) as LogIndex, 1 as Term, encodeCommand(command, NOW_MS)),
  );
  store.write(batch.finish());
  return applied.at(-1) as Applied;
}

const put = (id: string, body: unknown, tags: Record<string, string> = {}): Operation => ({
  op: 'put',
  id,
  type: 'task',
  bodyJson: JSON.stringify(body),
  tags,
  parents: [],
});
const write = (...operations: Operation[]): Applied => run({ kind: 'write', ns: NS, operations });
const index = (...paths: string[]): Applied => run({ kind: 'indexes', ns: NS, paths });
const build = (limit: number, limitBytes = 1_000_000): Applied =>
  run({ kind: 'build', ns: NS, limit, limitBytes });

/** Puts `count` objects, of which each body is made from its number. */
function fill(count: number, body: (number: number) => unknown): void {
  for (let from = 0; from < count; from += 100) {
    const numbers = Array.from({ length: Math.min(100, count - from) }, (_, at) => from + at);
    write(...numbers.map((number) => put(`i${String(number).padStart(6, '0')}`, body(number), { all: 'x' })));
  }
}

function request(where: unknown, more: Partial<QueryRequest> = {}): QueryRequest {
  const parsed = parseWhere(where);
  if (parsed.kind === 'malformed') throw new Error(parsed.error.reason);
  return { kind: 'query', ns: NS, order: 'id', limit: 100, where: parsed.conditions, ...more };
}

const read = (query: QueryRequest): ReadOutcome => evaluateRead(store, query, NOW_MS);

function ids(where: unknown, more: Partial<QueryRequest> = {}): string[] {
  const outcome = read(request(where, more));
  if (outcome.kind !== 'page') throw new Error(JSON.stringify(outcome));
  return outcome.objects.map((json) => (JSON.parse(Buffer.from(json).toString()) as { id: string }).id);
}

function explain(where: unknown, more: Partial<QueryRequest> = {}): QueryPlan {
  const outcome = evaluateRead(store, { kind: 'explain', ns: NS, query: request(where, more) }, NOW_MS);
  if (outcome.kind !== 'plan') throw new Error(JSON.stringify(outcome));
  return outcome.plan;
}

const states = (): ReadOutcome => evaluateRead(store, { kind: 'indexes', ns: NS }, NOW_MS);
const fieldRows = (): number => [...store.scan(tableRange(Table.fieldIndex))].length;

describe('an index', () => {
  it('is complete at once in an empty namespace, and is built step by step where there are objects', () => {
    expect(states()).toEqual({ kind: 'indexes', ready: [], building: [] });
    index('$.status');
    expect(states()).toEqual({ kind: 'indexes', ready: ['$.status'], building: [] });
    fill(10, (n) => ({ status: 's', n }));
    index('$.status', '$.n');
    expect(states()).toEqual({ kind: 'indexes', ready: ['$.status'], building: ['$.n'] });
    expect(explain({ '$.n': 3 })).toMatchObject({ index: 'objects', buildingPaths: ['$.n'] });
    build(4);
    expect([fieldRows(), states()]).toEqual([
      14,
      { kind: 'indexes', ready: ['$.status'], building: ['$.n'] },
    ]);
    expect(ids({ '$.n': 3 })).toEqual(['i000003']);
    build(4);
    build(4);
    expect(states()).toMatchObject({ ready: ['$.status', '$.n'], building: [] });
    expect(explain({ '$.n': 3 })).toMatchObject({ index: 'field $.n', buildingPaths: [], rowsRead: 1 });
  });

  it('is built no further in a step than its bytes allow, but by one object', () => {
    fill(3, () => 'x'.repeat(1_000));
    index('$');
    build(100, 1);
    expect(fieldRows()).toBe(1);
    build(100, 1_500);
    expect(fieldRows()).toBe(3);
  });

  it('goes row by row when it is not wanted any more, and is built anew when it is again', () => {
    index('$.n');
    fill(10, (n) => ({ n }));
    index();
    expect([states(), fieldRows()]).toEqual([{ kind: 'indexes', ready: [], building: [] }, 10]);
    expect(explain({ '$.n': 3 }).index).toBe('objects');
    build(4);
    expect(fieldRows()).toBe(6);
    index('$.n');
    write(put('i000001', { n: 77 }));
    for (let step = 0; step < 6; step++) build(4);
    expect([states(), fieldRows()]).toEqual([{ kind: 'indexes', ready: ['$.n'], building: [] }, 10]);
    expect([ids({ '$.n': 77 }), ids({ '$.n': 1 })]).toEqual([['i000001'], []]);
    index();
    for (let step = 0; step < 4; step++) build(4);
    expect([fieldRows(), [...store.scan(tableRange(Table.fieldIndexes))]]).toEqual([0, []]);
  });

  it('of one place is one, however its path is written', () => {
    index('$.a.b', "$['a'].b");
    expect(states()).toMatchObject({ ready: ['$.a.b'] });
    fill(3, (n) => ({ a: { b: n } }));
    expect(explain({ "$.a['b']": 1 })).toMatchObject({
      index: 'field $.a.b',
      rowsRead: 1,
      comparedPaths: [],
    });
  });

  it('is not changed while its namespace is on its way or elsewhere, and not of a path that is none', () => {
    fill(3, (n) => ({ n }));
    index('$.n');
    const tenancy = { kind: 'tenancy', ns: NS, generation: 1, seqFloor: 0 as CommitSeq } as const;
    run({ ...tenancy, state: 'frozen' });
    for (const refused of [index(), build(1)])
      expect(refused.outcome).toMatchObject({ kind: 'rejected', code: 'conflict' });
    expect(fieldRows()).toBe(0);
    const many = Array.from({ length: LIMITS.fieldIndexes + 1 }, (_, at) => `$.f${at}`);
    for (const paths of [['$.a[*]'], many])
      expect(run({ kind: 'indexes', ns: 'other', paths }).outcome).toMatchObject({ code: 'invalid_request' });
  });
});

describe('values', () => {
  const LONG = 'x'.repeat(300);
  const VALUES: Readonly<Record<string, unknown>> = {
    a: null,
    b: false,
    c: -1.5,
    d: -0,
    e: 2,
    f: 10,
    g: '',
    h: 'a',
    i: 'a\u0000',
    j: 'a\u0001',
    k: '\uffee',
    l: '\u{1f600}',
    m: LONG,
    n: `${LONG}a`,
    o: `${LONG}b`,
    p: { x: 1 },
    q: [1],
  };

  it.each<[unknown, string]>([
    [{ lt: 2 }, 'cd'],
    [{ lte: 2 }, 'cde'],
    [{ gt: 0 }, 'ef'],
    [{ gte: 0 }, 'def'],
    [{ gt: -2, lt: 10 }, 'cde'],
    [{ gt: 5, lt: 5 }, ''],
    [{ gt: 1, lt: 'z' }, ''],
    [{ gte: 'a', lt: 'a\u0001' }, 'hi'],
    [{ gt: 'a', lte: 'a\u0001' }, 'ij'],
    [{ gte: '\uffee' }, 'kl'],
    [{ gt: LONG }, 'klno'],
    [{ gte: `${LONG}a` }, 'klno'],
    [{ lt: `${LONG}a`, gt: 'b' }, 'm'],
    [{ lte: `${LONG}a`, gt: 'b' }, 'mn'],
    [{ eq: `${LONG}a` }, 'n'],
    [{ eq: 0 }, 'd'],
    [{ eq: null }, 'a'],
    [{ eq: { x: 1 } }, 'p'],
    [{ in: [2, 'a', 2.0, [1], 'never'] }, 'ehq'],
    [{ in: [] }, ''],
    [{ exists: true }, 'abcdefghijklmnopq'],
    [{ exists: true, gt: 5 }, 'f'],
    [{ exists: false }, 'z'],
    [{ ne: 2, gte: 2 }, 'f'],
  ])('case %#: finds what it must', (condition, expected) => {
    for (const isIndexed of [false, true]) {
      if (isIndexed) index('$.v');
      // Written backwards, so that the order of ids is not that of anything else.
      for (const id of [...'zqponmlkjihgfedcba']) write(put(id, id === 'z' ? {} : { v: VALUES[id] }));
      build(100);
      expect(ids({ '$.v': condition }).join('')).toBe(expected);
      const backwards = ids({ '$.v': condition }, { order: 'commit_seq' }).reverse();
      expect(backwards.join('')).toBe(expected);
    }
  });
});

describe('a plan', () => {
  it('takes the narrowest of tags, type and fields, and says what is left to compare', () => {
    index('$.n', '$.status');
    fill(300, (n) => ({ n, status: n % 100 === 0 ? 'rare' : 'usual' }));
    write(put('tagged', { n: -1, status: 'usual' }, { only: 'this' }));
    expect(explain({ '$.status': 'rare', '$.n': { lt: 250 } }, { type: 'task', tags: { all: 'x' } })).toEqual(
      {
        index: 'field $.status',
        rowsExpected: 3,
        comparedPaths: ['$.n'],
        buildingPaths: [],
        isAllowed: true,
        rowsRead: 3,
        rowsReturned: 3,
      },
    );
    expect(explain({ '$.status': 'usual' }, { tags: { only: 'this' } })).toMatchObject({
      index: 'tag only',
      comparedPaths: ['$.status'],
    });
    expect(explain({ '$.status': 'usual', '$.n': { gte: 298, lte: 400 } })).toMatchObject({
      index: 'field $.n',
      rowsRead: 2,
      comparedPaths: ['$.status'],
    });
    expect(explain({ '$.status': 'rare' }, { order: '-commit_seq' })).toMatchObject({
      index: 'field $.status',
      rowsRead: 3,
    });
    expect(explain({ '$.n': { gt: 5 } }, { prefix: 'i00001' })).toMatchObject({
      index: 'objects',
      rowsRead: 10,
    });
  });

  it('allows what an index decides however much that is, and advises an index for what none does', () => {
    const count = LIMITS.scanObjects + 200;
    index('$.status');
    fill(count, (n) => ({ status: n % 2 === 0 ? 'even' : 'odd', n }));
    write(...Array.from({ length: 100 }, (_, at) => put(`z${at}`, { status: at < 20 ? 'few' : 'other' })));
    expect(ids({ '$.status': { in: ['even', 'odd'] } }, { limit: 3 })).toEqual([
      'i000000',
      'i000001',
      'i000002',
    ]);
    expect(ids({ '$.status': 'few' })).toHaveLength(20);
    expect(ids({ '$.status': 'few' }, { order: '-commit_seq', limit: 2 })).toEqual(['z19', 'z18']);
    for (const order of ['id', '-commit_seq'] as const) {
      const refused = read(request({ '$.n': 7 }, { order }));
      expect(refused).toMatchObject({ kind: 'rejected', code: 'invalid_request' });
      expect(refused.kind === 'rejected' && refused.detail).toContain('index $.n (');
      expect(explain({ '$.n': 7 }, { order })).toMatchObject({ isAllowed: false, comparedPaths: ['$.n'] });
    }
    index('$.status', '$.n');
    const early = read(request({ '$.n': 7 }));
    expect(early.kind === 'rejected' && early.detail).toContain('wait until the index of $.n is complete');
    for (let step = 0; step < 12; step++) build(1_000);
    expect(ids({ '$.n': 7 })).toEqual(['i000007']);
    // Half of all objects are read to tell: too many, as without the index.
    expect(read(request({ '$.n': { gte: 10 }, '$.other': { exists: false } }))).toMatchObject({
      code: 'invalid_request',
    });
    expect(ids({ '$.n': { gte: count - 5 }, '$.status': 'odd' })).toHaveLength(3);
  }, 60_000);

  it('counts no rows where there is nothing to choose between', () => {
    index('$.status');
    fill(3_000, (n) => ({ status: 'usual', n }));
    let rows = 0;
    const counted = Object.create(store) as MemoryStateStore;
    counted.scan = function* (range) {
      for (const row of store.scan(range)) {
        rows++;
        yield row;
      }
    };
    const requests = [
      { kind: 'list', ns: NS, limit: 5, prefix: 'i' },
      request({}, { limit: 5, tags: { all: 'x' }, prefix: 'i' }),
      request({ '$.status': 'usual' }, { limit: 5 }),
    ] as const;
    for (const one of requests) {
      rows = 0;
      expect(evaluateRead(counted, one, NOW_MS)).toMatchObject({ kind: 'page' });
      expect(rows).toBeLessThan(10);
    }
  });

  it('may change between pages without a row lost or doubled', () => {
    fill(40, (n) => ({ n: n % 4, m: 40 - n }));
    const where = { '$.n': { in: [1, 3] }, '$.m': { gt: 4 } };
    const expected = ids(where);
    for (const order of ['id', '-commit_seq'] as const) {
      const found: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page === 0 || cursor !== undefined; page++) {
        if (page === 1) index('$.m');
        if (page === 3) index('$.n', '$.m');
        if (page === 5) index('$.n');
        if (page > 0) build(13);
        const outcome = read(
          request(where, { order, limit: 1, ...(cursor === undefined ? {} : { cursor }) }),
        );
        if (outcome.kind !== 'page') throw new Error(JSON.stringify(outcome));
        found.push(
          ...outcome.objects.map((json) => (JSON.parse(Buffer.from(json).toString()) as { id: string }).id),
        );
        cursor = outcome.nextCursor;
      }
      const inOrder = order === 'id' ? expected : ids(where, { order });
      expect(found).toEqual(inOrder);
      index();
    }
  });
});
