import { keyString, type KeyRange, type PinnedRows, type WriteSet } from '#state-machine';
import type { StateStore } from '../ports';

/**
 * A state that is copied row by row into another store while it is written: what is written goes to both, and a row
 * of the copy that was written since is left as it is. Reads are those of the state.
 */
export class DoubledStore implements StateStore {
  private readonly written = new Set<string>();

  constructor(
    private readonly base: StateStore,
    private readonly copy: StateStore,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    return this.base.get(key);
  }

  scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.base.scan(range);
  }

  pin(range: Pick<KeyRange, 'gte' | 'lt'>): PinnedRows {
    return this.base.pin(range);
  }

  write(writes: WriteSet): void {
    this.base.write(writes);
    this.copy.write(writes);
    for (const [key] of writes.puts) this.written.add(keyString(key));
    for (const key of writes.deletes) this.written.add(keyString(key));
  }

  /** Takes rows as they were when this store was made. */
  copyRows(rows: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): void {
    this.copy.write({ puts: rows.filter(([key]) => !this.written.has(keyString(key))), deletes: [] });
  }

  /** Of the state that counts; the copy is made durable when it is to count. */
  flush(): Promise<void> {
    return this.base.flush();
  }

  bytes(): number {
    return this.base.bytes() + this.copy.bytes();
  }

  get openReads(): number {
    return this.base.openReads;
  }

  async close(): Promise<void> {
    await this.base.close();
    await this.copy.close();
  }
}
