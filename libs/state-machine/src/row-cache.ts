import { Table } from './format';
import { keyString } from './overlay';
import type { KeyRange, PinnedRows, StateReader, WriteSet } from './state-reader';

/** What an entry costs beside its key and value. */
const ENTRY_BYTES = 160;
const SLAB_BYTES = 65_536;
/** Stands for a row that is not there. */
const ABSENT = new Uint8Array(0);

/**
 * Keeps the rows that point reads ask for again and again in memory: heads, the versions they name, and the few rows
 * that every command and read looks at, also that one of them is not there. A miss costs what it cost before; a hit costs a lookup in a map instead of a call into the store.
 *
 * Invariant: a cached row is what the store has. Every write goes through {@link wrote} before the next read.
 *
 * Two generations instead of a list of uses: a hit in the older one moves the row to the newer; when the newer is
 * full it becomes the older, and what nobody asked for meanwhile is gone.
 */
export class RowCache implements StateReader {
  private newer = new Map<string, Uint8Array>();
  private older = new Map<string, Uint8Array>();
  private newerBytes = 0;
  private slab = new Uint8Array(0);
  private slabUsed = 0;

  /** `limitBytes` bounds both generations together, about. */
  constructor(
    private readonly base: StateReader,
    private readonly limitBytes: number,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    if (!isCached(key)) return this.base.get(key);
    const name = keyString(key);
    const fresh = this.newer.get(name);
    if (fresh !== undefined) return fresh === ABSENT ? undefined : fresh;
    const aged = this.older.get(name);
    if (aged !== undefined) {
      this.older.delete(name);
      this.keep(name, aged);
      return aged === ABSENT ? undefined : aged;
    }
    const read = this.base.get(key);
    if (read !== undefined) this.keep(name, read);
    // Nearly no namespace has such a row, and every write asks for it.
    else if (key[0] === Table.fieldIndexes) this.keep(name, ABSENT);
    return read;
  }

  scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.base.scan(range);
  }

  pin(range: KeyRange): PinnedRows {
    return this.base.pin(range);
  }

  /** The store has taken these writes: what is cached of them follows. */
  wrote({ puts, deletes }: WriteSet): void {
    for (const [key, value] of puts) {
      if (!isCached(key)) continue;
      const name = keyString(key);
      const known = this.newer.get(name) ?? this.older.get(name);
      if (known === undefined) continue;
      this.forget(name);
      this.keep(name, value);
    }
    for (const key of deletes) if (isCached(key)) this.forget(keyString(key));
  }

  /** Keeps a copy: the row may be a piece of other memory that should not live as long as this. */
  private keep(name: string, value: Uint8Array): void {
    this.newer.set(name, value === ABSENT ? ABSENT : this.copyOf(value));
    this.newerBytes += name.length + value.length + ENTRY_BYTES;
    if (this.newerBytes * 2 <= this.limitBytes) return;
    this.older = this.newer;
    this.newer = new Map();
    this.newerBytes = 0;
    this.slab = new Uint8Array(0);
    this.slabUsed = 0;
  }

  /** Rows of a generation share slabs, because they go together: thousands of small buffers are work for the collector. */
  private copyOf(value: Uint8Array): Uint8Array {
    if (value.length > SLAB_BYTES / 8) return value.slice();
    if (this.slabUsed + value.length > this.slab.length) {
      this.slab = new Uint8Array(Math.min(SLAB_BYTES, Math.max(1_024, this.limitBytes)));
      this.slabUsed = 0;
      if (value.length > this.slab.length) return value.slice();
    }
    const copy = this.slab.subarray(this.slabUsed, this.slabUsed + value.length);
    copy.set(value);
    this.slabUsed += value.length;
    return copy;
  }

  private forget(name: string): void {
    // Its bytes stay counted: their slab lives as long as the generation.
    this.newer.delete(name);
    this.older.delete(name);
  }
}

function isCached(key: Uint8Array): boolean {
  const table = key[0];
  return (
    table === Table.heads ||
    table === Table.changes ||
    table === Table.namespaces ||
    table === Table.counters ||
    table === Table.fieldIndexes ||
    table === Table.leases ||
    table === Table.keptTotals
  );
}
