/** Goal: pages, cursors, projections and scans, each by example. */
import * as fc from 'fast-check';
import { encodeCommand } from '#codec';
import { LIMITS, type LogIndex, type Operation, type QueryRequest, type Term } from '#contracts';
import { MemoryStateStore, sha256 } from '#testkit';
import { ApplyBatch } from './apply-batch';
import { readApplied } from './counters';
import { evaluateRead } from './evaluate-read';
import { openScan } from './object-scan';

const NS = 'agent://demo';
const NOW_MS = 1_700_000_000_000;

let store: MemoryStateStore;
beforeEach(() => {
  store = new MemoryStateStore();
});

function write(...operations: Operation[]): void {
  const batch = new ApplyBatch(store, sha256);
  const index = (readApplied(store).appliedIndex + 1) as LogIndex;
  const { outcome } = batch.apply(
    index,
    1 as Term,
    encodeCommand({ kind: 'write', ns: NS, operations }, NOW_MS),
  );
  expect(outcome.kind).toBe('done');
  store.write(batch.finish());
}

function put(id: string, bodyJson = 'null', tags: Record<string, string> = {}): Operation {
  return { op: 'put', id, type: 'object', bodyJson, tags, parents: [] };
}

const query = (more: Partial<QueryRequest> = {}): QueryRequest => ({
  kind: 'query',
  ns: NS,
  order: 'id',
  limit: 2,
  ...more,
});

function page(request: Parameters<typeof evaluateRead>[1]): {
  ids: string[];
  texts: string[];
  nextCursor?: string;
} {
  const outcome = evaluateRead(store, request, NOW_MS);
  if (outcome.kind !== 'page') throw new Error(`no page but ${JSON.stringify(outcome)}`);
  const texts = outcome.objects.map((json) => Buffer.from(json).toString());
  const ids = texts.map((text) => (JSON.parse(text) as { id: string }).id);
  return { ids, texts, ...(outcome.nextCursor ? { nextCursor: outcome.nextCursor } : {}) };
}

describe('cursors', () => {
  it('go on from their place whatever was written or deleted meanwhile', () => {
    for (const id of ['a', 'b', 'd', 'e']) write(put(id));
    const first = page({ kind: 'list', ns: NS, limit: 2 });
    expect(first.ids).toEqual(['a', 'b']);
    write({ op: 'delete', id: 'b' });
    write(put('a0'), put('c'));
    const second = page({ kind: 'list', ns: NS, limit: 9, cursor: first.nextCursor as string });
    expect(second).toMatchObject({ ids: ['c', 'd', 'e'] });
    expect(second.nextCursor).toBeUndefined();
  });

  it('are good for their own query alone', () => {
    for (const id of ['a', 'b', 'c']) write(put(id, 'null', { k: 'v' }));
    const cursor = page(query({ tags: { k: 'v' } })).nextCursor as string;
    expect(page(query({ tags: { k: 'v' }, limit: 1, cursor })).ids).toEqual(['c']);
    const others = [
      {},
      { tags: { k: 'w' } },
      { type: 'object' },
      { order: 'commit_seq' as const },
      { prefix: '' },
    ];
    for (const other of others) {
      expect(evaluateRead(store, query({ ...other, cursor }), NOW_MS)).toMatchObject({
        code: 'invalid_request',
      });
    }
    const list = { kind: 'list', ns: NS, limit: 2, cursor } as const;
    expect(evaluateRead(store, list, NOW_MS)).toMatchObject({ code: 'invalid_request' });
  });

  it('are refused when a character is changed, cut or added', () => {
    for (const id of ['a', 'b', 'c']) write(put(id));
    const cursor = page(query()).nextCursor as string;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+ ';
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...alphabet, ''), (at, character) => {
        const damaged = cursor.slice(0, at) + character + cursor.slice(at + 1);
        fc.pre(damaged !== cursor);
        const outcome = evaluateRead(store, query({ cursor: damaged }), NOW_MS);
        expect(outcome).toMatchObject({ kind: 'rejected', code: 'invalid_request' });
      }),
      { seed: 7, numRuns: 500 },
    );
    expect(evaluateRead(store, query({ cursor: '' }), NOW_MS)).toMatchObject({ code: 'invalid_request' });
  });
});

describe('pages', () => {
  it('end early once they hold the bytes of a page', () => {
    const half = JSON.stringify('x'.repeat(LIMITS.pageBytes / 2));
    for (const id of ['a', 'b', 'c']) write(put(id, half));
    const first = page({ kind: 'list', ns: NS, limit: 100 });
    expect(first.ids).toEqual(['a', 'b']);
    expect(page({ kind: 'list', ns: NS, limit: 100, cursor: first.nextCursor as string }).ids).toEqual(['c']);
  });

  it('are empty where there is no such namespace', () => {
    expect(evaluateRead(store, query(), NOW_MS)).toEqual({ kind: 'page', objects: [] });
  });

  it('come in the order of bytes, not of UTF-16', () => {
    write(put('\u{1f600}'), put('\uffee'), put('z'));
    expect(page(query({ limit: 9 })).ids).toEqual(['z', '\uffee', '\u{1f600}']);
  });

  it('find by an index as by looking at everything, however many rows an index has', () => {
    for (let number = 0; number < 1_200; number++) {
      write(put(`i${number}`, 'null', { all: 'x', few: number % 400 === 0 ? 'yes' : 'no' }));
    }
    const expected = ['i0', 'i400', 'i800'];
    expect(page(query({ tags: { all: 'x', few: 'yes' }, limit: 9 })).ids).toEqual(expected);
    expect(page(query({ tags: { all: 'x', few: 'yes' }, order: '-commit_seq', limit: 9 })).ids).toEqual(
      [...expected].reverse(),
    );
    expect(page(query({ tags: { all: 'x' }, order: '-commit_seq' })).ids).toEqual(['i1199', 'i1198']);
  });
});

describe('fields', () => {
  const bodyOf = (text: string): string => /"body":(.*),"tags":/.exec(text)?.[1] ?? '';

  it('keep top-level keys and the text of their values', () => {
    const body =
      '{"a":1.0,"b":{"a":[1,{"c":"]}"}]},"__proto__":{"x":"\\"}"},"q\\"":"\\\\","d":12345678901234567890}';
    write(put('o', body));
    const project = (...fields: string[]): string => bodyOf(page(query({ fields })).texts[0] as string);
    expect(project('a')).toBe('{"a":1.0}');
    expect(project('d', 'b')).toBe('{"b":{"a":[1,{"c":"]}"}]},"d":12345678901234567890}');
    expect(project('__proto__', 'q"')).toBe('{"__proto__":{"x":"\\"}"},"q\\"":"\\\\"}');
    expect(project('c', 'constructor')).toBe('{}');
    expect(project('a', 'b', '__proto__', 'q"', 'd')).toBe(body);
  });

  it('leave a body without keys as it is', () => {
    for (const body of ['[{"a":1}]', '"a"', 'null', '{}']) {
      write(put('o', body));
      expect(bodyOf(page(query({ fields: ['a'] })).texts[0] as string)).toBe(body);
    }
  });

  it('agree with a parser on any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 })), (body) => {
        write(put('o', JSON.stringify(body)));
        const fields = Object.keys(body).filter((_key, index) => index % 2 === 0);
        const found = JSON.parse(bodyOf(page(query({ fields })).texts[0] as string)) as Record<
          string,
          unknown
        >;
        expect(JSON.stringify(found)).toBe(
          JSON.stringify(Object.fromEntries(Object.entries(body).filter(([key]) => fields.includes(key)))),
        );
      }),
      { seed: 11 },
    );
  });
});

describe('a scan', () => {
  it('shows the state as of its opening, in parts', () => {
    for (const id of ['a', 'b', 'c']) write(put(id));
    const scan = openScan(store, NS, {}, NOW_MS);
    expect(scan.next(1).map(({ id }) => id)).toEqual(['a']);
    write({ op: 'delete', id: 'b' });
    write(put('c', '2'));
    expect(scan.next(1e6).map(({ id, commitSeq }) => [id, commitSeq])).toEqual([
      ['b', 2],
      ['c', 3],
    ]);
    expect(scan.next(1)).toEqual([]);
    expect(scan.position).toBe(3);
    scan.close();
  });
});
