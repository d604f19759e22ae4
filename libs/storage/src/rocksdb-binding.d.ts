/**
 * The native calls of `@nxtedition/rocksdb` 12.2 that this adapter uses, as its `binding.cc` declares them. All are
 * synchronous but opening and closing. Handles are opaque; using one of a closed database ends the process, so the
 * adapter guards every call.
 */
declare module '@nxtedition/rocksdb/binding' {
  export type Callback = (error: Error | null | undefined) => void;
  export type DatabaseHandle = { readonly database: unique symbol };
  export type BatchHandle = { readonly batch: unique symbol };
  export type IteratorHandle = { readonly iterator: unique symbol };

  export interface OpenOptions {
    readonly createIfMissing: boolean;
    readonly errorIfExists: boolean;
    readonly parallelism: number;
    readonly walCompression: boolean;
    readonly compaction: 'level' | 'universal';
    /** Bytes; a memtable gets a quarter. */
    readonly memtableMemoryBudget: number;
    readonly compression: boolean;
    readonly cacheSize: number;
    readonly cacheIndexAndFilterBlocks: boolean;
    readonly blockSize: number;
  }

  export interface IteratorOptions {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    readonly reverse: boolean;
    /** -1: none. */
    readonly limit: number;
    /** A batch of rows ends after the row that reaches this. */
    readonly highWaterMarkBytes: number;
    readonly keyEncoding: 'buffer';
    readonly valueEncoding: 'buffer';
  }

  export function db_init(location: string): DatabaseHandle;
  export function db_open(database: DatabaseHandle, options: OpenOptions, callback: Callback): void;
  export function db_close(database: DatabaseHandle, callback: Callback): void;
  export function db_get_many_sync(
    database: DatabaseHandle,
    keys: readonly Uint8Array[],
    options: { readonly valueEncoding: 'buffer' },
  ): (Uint8Array | undefined)[];
  export function db_get_property(database: DatabaseHandle, property: string): string;
  export function iterator_init(database: DatabaseHandle, options: IteratorOptions): IteratorHandle;
  export function iterator_seek(iterator: IteratorHandle, key: Uint8Array): void;
  /** `rows` holds keys and values in turn. */
  export function iterator_nextv_sync(
    iterator: IteratorHandle,
    count: number,
  ): { readonly rows: readonly Uint8Array[]; readonly finished: boolean };
  export function iterator_close(iterator: IteratorHandle): void;
  export function batch_init(): BatchHandle;
  export function batch_put(batch: BatchHandle, key: Uint8Array, value: Uint8Array, options: undefined): void;
  export function batch_del(batch: BatchHandle, key: Uint8Array, options: undefined): void;
  export function batch_clear(batch: BatchHandle): void;
  export function batch_write(
    database: DatabaseHandle,
    batch: BatchHandle,
    options: { readonly sync: boolean },
  ): void;
}
