import { compareBytes } from '#codec';
import type { KeyRange, StateReader, WriteSet } from './state-reader';

interface Write {
  readonly key: Uint8Array;
  /** Absent for a deletion. */
  readonly value: Uint8Array | undefined;
}

/**
 * Writes that are not yet in the state, and the state as it will be with them. A key's last write stands, so the
 * write set that comes out names each key once.
 */
export class Overlay implements StateReader {
  /** By the first byte of their keys, which is their table: a scan looks at one or two. */
  private readonly tables: (Map<string, Write> | undefined)[] = [];

  constructor(private readonly base: StateReader) {}

  get(key: Uint8Array): Uint8Array | undefined {
    const write = this.tables[key[0] as number]?.get(keyString(key));
    return write ? write.value : this.base.get(key);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.tableOf(key).set(keyString(key), { key, value });
  }

  delete(key: Uint8Array): void {
    this.tableOf(key).set(keyString(key), { key, value: undefined });
  }

  /** Ascending only. Goes through all writes of the range's tables, so it is for commands that are rare. */
  *scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    if (range.reverse) throw new Error('an overlay scans upwards');
    const own = this.within(range);
    let left = range.limit ?? Infinity;
    let next = 0;
    for (const row of this.base.scan({ gte: range.gte, lt: range.lt })) {
      for (; next < own.length && compareBytes((own[next] as Write).key, row[0]) < 0; next++) {
        const { key, value } = own[next] as Write;
        if (value && left-- > 0) yield [key, value];
      }
      if (left <= 0) return;
      const replaced = own[next];
      if (!replaced || compareBytes(replaced.key, row[0]) !== 0) {
        left--;
        yield row;
      }
    }
    for (; next < own.length && left > 0; next++) {
      const { key, value } = own[next] as Write;
      if (value && left-- > 0) yield [key, value];
    }
  }

  pin(): never {
    throw new Error('an overlay changes under its readers');
  }

  writeSet(): WriteSet {
    const puts: (readonly [Uint8Array, Uint8Array])[] = [];
    const deletes: Uint8Array[] = [];
    for (const table of this.tables) {
      if (table === undefined) continue;
      for (const { key, value } of table.values()) {
        if (value) puts.push([key, value]);
        else deletes.push(key);
      }
    }
    return { puts, deletes };
  }

  /** Own writes in a range, in order. */
  private within({ gte, lt }: KeyRange): readonly Write[] {
    const own: Write[] = [];
    for (let table = gte[0] ?? 0; table <= (lt[0] ?? 0); table++) {
      for (const write of this.tables[table]?.values() ?? []) {
        if (compareBytes(write.key, gte) >= 0 && compareBytes(write.key, lt) < 0) own.push(write);
      }
    }
    return own.sort((left, right) => compareBytes(left.key, right.key));
  }

  private tableOf(key: Uint8Array): Map<string, Write> {
    const table = key[0] as number;
    return (this.tables[table] ??= new Map<string, Write>());
  }
}

/** One character a byte: a string that a map hashes faster than anything made of numbers. */
export function keyString(key: Uint8Array): string {
  return String.fromCharCode.apply(null, key as unknown as number[]);
}
