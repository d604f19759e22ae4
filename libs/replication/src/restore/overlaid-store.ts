import { Overlay, type KeyRange, type PinnedRows, type StateReader, type WriteSet } from '#state-machine';
import type { StateStore } from '../ports';

/**
 * A state that is carried forward in memory alone: what is written lies over the rows of another one, which stays as
 * it is. For looking at a stopped node, whose state may be behind its log.
 */
export class OverlaidStore implements StateStore {
  private readonly rows: Overlay;

  constructor(base: StateReader) {
    this.rows = new Overlay(base);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(key);
  }

  scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.rows.scan(range);
  }

  /** Nothing is written any more once a state is looked at. */
  pin(): PinnedRows {
    return { get: (key) => this.rows.get(key), close: () => undefined };
  }

  write({ puts, deletes }: WriteSet): void {
    for (const [key, value] of puts) this.rows.put(key, value);
    for (const key of deletes) this.rows.delete(key);
  }

  flush(): Promise<void> {
    throw new Error('a state in memory cannot be flushed');
  }

  bytes(): number {
    return 0;
  }

  get openReads(): number {
    return 0;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
