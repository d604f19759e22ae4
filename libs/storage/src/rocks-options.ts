import type { OpenOptions } from '@nxtedition/rocksdb/binding';

/** One node's memory for all its replicas' states. */
export interface StateMemory {
  /** Decompressed blocks, indexes and filters kept for reads, in bytes. */
  readonly cacheBytes: number;
  /** Writes not yet in a table file, in bytes; while files are written it may reach half as much again. */
  readonly writeBufferBytes: number;
  /** Into how many equal parts it is divided: the replicas that the node expects to hold. */
  readonly shares: number;
}

export const DEFAULT_STATE_MEMORY: StateMemory = {
  cacheBytes: 64 * 1024 * 1024,
  writeBufferBytes: 192 * 1024 * 1024,
  shares: 4,
};

/** Below these an instance works badly, whatever the share. */
const MIN_CACHE_BYTES = 4 * 1024 * 1024;
const MIN_WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** Options of one replica's instance; the reasons are in docs/adr/0002-rocksdb-binding.md. */
export function openOptions(memory: StateMemory, create: boolean): OpenOptions {
  const share = (bytes: number, least: number): number => Math.max(least, Math.floor(bytes / memory.shares));
  return {
    createIfMissing: create,
    errorIfExists: create,
    parallelism: 2,
    walCompression: false,
    compaction: 'level',
    memtableMemoryBudget: share(memory.writeBufferBytes, MIN_WRITE_BUFFER_BYTES),
    compression: false,
    cacheSize: share(memory.cacheBytes, MIN_CACHE_BYTES),
    cacheIndexAndFilterBlocks: true,
    blockSize: 8 * 1024,
  };
}
