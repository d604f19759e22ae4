import fc from 'fast-check';
import { Table } from './format';
import { RowCache } from './row-cache';
import type { StateReader } from './state-reader';

/** A store that counts how often it is asked. */
class CountingReader implements StateReader {
  readonly rows = new Map<string, Uint8Array>();
  reads = 0;

  get(key: Uint8Array): Uint8Array | undefined {
    this.reads++;
    return this.rows.get(key.join());
  }

  scan(): Iterable<readonly [Uint8Array, Uint8Array]> {
    return [];
  }

  pin(): never {
    throw new Error('nobody pins here');
  }
}

const headKey = (id: number): Uint8Array => Uint8Array.of(Table.heads, 0, 0, 0, 1, id);

describe('the row cache', () => {
  it('asks the store once for what is read again', () => {
    const base = new CountingReader();
    base.rows.set(headKey(1).join(), Uint8Array.of(7));
    const cache = new RowCache(base, 100_000);
    expect(cache.get(headKey(1))).toEqual(Uint8Array.of(7));
    expect(cache.get(headKey(1))).toEqual(Uint8Array.of(7));
    expect(base.reads).toBe(1);
  });

  it('forgets what nobody asks for, and keeps what somebody does', () => {
    const base = new CountingReader();
    for (let id = 0; id < 200; id++) base.rows.set(headKey(id).join(), new Uint8Array(100));
    const cache = new RowCache(base, 10_000);
    for (let id = 0; id < 200; id++) {
      cache.get(headKey(0));
      cache.get(headKey(id));
    }
    const before = base.reads;
    cache.get(headKey(0));
    expect(base.reads).toBe(before);
    cache.get(headKey(1));
    expect(base.reads).toBe(before + 1);
  });

  it('remembers that a namespace has no indexes, until it has some', () => {
    const base = new CountingReader();
    const cache = new RowCache(base, 10_000);
    const key = Uint8Array.of(Table.fieldIndexes, 0, 0, 0, 1);
    expect([cache.get(key), cache.get(key), base.reads]).toEqual([undefined, undefined, 1]);
    base.rows.set(key.join(), Uint8Array.of(1));
    cache.wrote({ puts: [[key, Uint8Array.of(1)]], deletes: [] });
    expect(cache.get(key)).toEqual(Uint8Array.of(1));
    base.rows.delete(key.join());
    cache.wrote({ puts: [], deletes: [key] });
    expect([cache.get(key), cache.get(key), base.reads]).toEqual([undefined, undefined, 2]);
  });

  it('always answers what the store holds', () => {
    const step = fc.record({
      id: fc.nat(7),
      kind: fc.constantFrom('get', 'put', 'delete'),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 300, max: 3_000 }),
        (steps, limit) => {
          const base = new CountingReader();
          const cache = new RowCache(base, limit);
          for (const { id, kind, value } of steps) {
            const key = headKey(id);
            if (kind === 'put') {
              const row = Uint8Array.of(value);
              base.rows.set(key.join(), row);
              cache.wrote({ puts: [[key, row]], deletes: [] });
            } else if (kind === 'delete') {
              base.rows.delete(key.join());
              cache.wrote({ puts: [], deletes: [key] });
            }
            expect(cache.get(key)).toEqual(base.rows.get(key.join()));
          }
        },
      ),
    );
  });
});
