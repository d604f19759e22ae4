import { readFile, readdir } from 'node:fs/promises';
import os from 'node:os';

/** Where Linux lists the threads of this process, each with its name. */
const THREADS = '/proc/self/task';
/** RocksDB's names of what merges files. What writes a full memtable out (`rocksdb:high`) makes writes wait. */
const COMPACTION = 'rocksdb:low';
/** About a tenth of the processor that a thread of normal priority gets, where both want it. */
const NICE = 10;

/**
 * Lets the threads that RocksDB merges files with have what requests leave of the processors. They belong to the
 * process, not to one database, and are there once a database is open. Does nothing where threads have no priorities of
 * their own.
 */
export async function lowerCompaction(): Promise<void> {
  for (const thread of await readdir(THREADS).catch(() => [])) {
    const name = await readFile(`${THREADS}/${thread}/comm`, 'utf8').catch(() => '');
    if (name.trim() !== COMPACTION) continue;
    try {
      os.setPriority(Number(thread), NICE);
    } catch {
      // It is gone, or nothing may be changed here: merging files then has the priority of everything else.
    }
  }
}
