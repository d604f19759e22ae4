import * as binding from '@nxtedition/rocksdb/binding';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StateCorruption, type StateStore } from '#replication';
import { compareBytes } from '#codec';
import type { KeyRange, PinnedRows, WriteSet } from '#state-machine';
import { lowerCompaction } from './background-priority';
import { toStateError } from './rocks-error';
import { openOptions, type StateMemory } from './rocks-options';

/** Rows and bytes that one call into an iterator fetches, growing from few: most scans need little. */
const FIRST_FETCH_ROWS = 16;
const MOST_FETCH_ROWS = 512;
/** About a millisecond: a scan that goes on for long, as of a snapshot, has others wait for no more than that. */
const FETCH_BYTES = 64 * 1024;

const GET_OPTIONS = { valueEncoding: 'buffer' } as const;
/** Spares the binding a look for each option. */
const NO_OPTIONS = undefined;

/**
 * One replica's state in RocksDB. All calls but {@link flush} and {@link close} run on the caller's thread.
 *
 * Invariant: RocksDB's own log is replayed up to the first damaged record and written in order, so after a crash
 * the state is some prefix of the batches written. It is synced by {@link flush} alone.
 */
export class RocksStateStore implements StateStore {
  private readonly batch = binding.batch_init();
  private closed = false;
  private iterators = 0;

  private constructor(
    readonly location: string,
    private readonly database: binding.DatabaseHandle,
    private readonly onCorruption: ((error: StateCorruption) => void) | undefined,
  ) {}

  /**
   * Makes a new database in the folder `location`, or opens the one that must be there. Where that folder stands in
   * for another one, errors name the other. `onCorruption` hears of damage that is met once it is open.
   */
  static async open(
    location: string,
    options: {
      readonly memory: StateMemory;
      readonly create: boolean;
      readonly standsInFor?: string;
      readonly onCorruption?: ((error: StateCorruption) => void) | undefined;
    },
  ): Promise<RocksStateStore> {
    const database = binding.db_init(location);
    const native = openOptions(options.memory, options.create);
    const named = options.standsInFor ?? location;
    await settle(named, (done) => binding.db_open(database, native, done));
    await lowerCompaction();
    return new RocksStateStore(named, database, options.onCorruption);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.guard(() => binding.db_get_many_sync(this.database, [key], GET_OPTIONS)[0]);
  }

  scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return new RocksScan(this.iterate(range), this);
  }

  pin(range: KeyRange): PinnedRows {
    return new RocksPin(this.iterate(range), this);
  }

  write(writes: WriteSet): void {
    this.guard(() => {
      try {
        for (const [key, value] of writes.puts) binding.batch_put(this.batch, key, value, NO_OPTIONS);
        for (const key of writes.deletes) binding.batch_del(this.batch, key, NO_OPTIONS);
        binding.batch_write(this.database, this.batch, { sync: false });
      } finally {
        // The batch is used over and over: its memory is RocksDB's, and what is not cleared would be kept.
        binding.batch_clear(this.batch);
      }
    });
  }

  async flush(): Promise<void> {
    // The bulk is synced in the thread pool first, so that the synced write below finds little left to wait for.
    await this.syncLogs();
    // An empty batch with `sync` syncs RocksDB's log, and any older one that still is needed.
    this.guard(() => binding.batch_write(this.database, this.batch, { sync: true }));
  }

  bytes(): number {
    const properties = ['rocksdb.total-sst-files-size', 'rocksdb.cur-size-all-mem-tables'];
    return this.guard(() =>
      properties.reduce((sum, name) => sum + Number(binding.db_get_property(this.database, name)), 0),
    );
  }

  /** Idempotent. Open scans end with an error when they are asked for more. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await settle(this.location, (done) => binding.db_close(this.database, done));
  }

  get openReads(): number {
    return this.iterators;
  }

  endIterator(iterator: binding.IteratorHandle): void {
    this.iterators -= 1;
    // Closing the database has closed its iterators.
    if (!this.closed) this.guard(() => binding.iterator_close(iterator));
  }

  private iterate(range: KeyRange): binding.IteratorHandle {
    const iterator = this.guard(() =>
      binding.iterator_init(this.database, {
        gte: range.gte,
        lt: range.lt,
        reverse: range.reverse ?? false,
        limit: range.limit ?? -1,
        highWaterMarkBytes: FETCH_BYTES,
        keyEncoding: 'buffer',
        valueEncoding: 'buffer',
      }),
    );
    this.iterators += 1;
    return iterator;
  }

  private async syncLogs(): Promise<void> {
    for (const name of await readdir(this.location)) {
      if (name.endsWith('.log')) await this.syncLog(join(this.location, name));
    }
  }

  private async syncLog(path: string): Promise<void> {
    try {
      const file = await open(path, 'r');
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch (error) {
      // RocksDB removes a log once its content is in a synced table file.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Runs a native call: on a closed database it would end the process, so it is refused here. */
  guard<T>(call: () => T): T {
    if (this.closed) throw new Error(`state in ${this.location} is closed`);
    try {
      return call();
    } catch (cause) {
      const error = toStateError(this.location, cause);
      if (error instanceof StateCorruption) this.onCorruption?.(error);
      throw error;
    }
  }
}

/** Rows as of the making of the iterator. The iterator pins old data and is closed at the end or on a break. */
class RocksScan implements IterableIterator<readonly [Uint8Array, Uint8Array]> {
  private rows: readonly Uint8Array[] = [];
  private next_ = 0;
  private fetchRows = FIRST_FETCH_ROWS;
  private finished = false;
  private open = true;

  constructor(
    private readonly iterator: binding.IteratorHandle,
    private readonly store: RocksStateStore,
  ) {}

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<readonly [Uint8Array, Uint8Array]> {
    if (this.next_ === this.rows.length && !this.finished) this.fetch();
    if (this.next_ === this.rows.length) return this.return();
    const key = this.rows[this.next_++] as Uint8Array;
    return { done: false, value: [key, this.rows[this.next_++] as Uint8Array] };
  }

  return(): IteratorReturnResult<undefined> {
    this.finished = true;
    this.rows = [];
    this.next_ = 0;
    if (this.open) {
      this.open = false;
      this.store.endIterator(this.iterator);
    }
    return { done: true, value: undefined };
  }

  private fetch(): void {
    const { rows, finished } = this.store.guard(() =>
      binding.iterator_nextv_sync(this.iterator, this.fetchRows),
    );
    this.rows = rows;
    this.next_ = 0;
    this.finished = finished;
    this.fetchRows = Math.min(this.fetchRows * 4, MOST_FETCH_ROWS);
  }
}

/** Point reads by an iterator, which sees the rows as of its making; a snapshot cannot be read in another way here. */
class RocksPin implements PinnedRows {
  private open = true;

  constructor(
    private readonly iterator: binding.IteratorHandle,
    private readonly store: RocksStateStore,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    const { rows } = this.store.guard(() => {
      binding.iterator_seek(this.iterator, key);
      return binding.iterator_nextv_sync(this.iterator, 1);
    });
    const [found, value] = rows;
    return found !== undefined && compareBytes(found, key) === 0 ? value : undefined;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.store.endIterator(this.iterator);
  }
}

function settle(location: string, start: (done: binding.Callback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(toStateError(location, error));
      else resolve();
    });
  });
}
