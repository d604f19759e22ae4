import { access, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StateStoreFailure } from './rocks-error';
import { RocksStateStore } from './rocks-state-store';
import { emptyStandIn } from './stand-in';

/** Another process holds the folder. */
export class FolderInUse extends Error {
  constructor(readonly folder: string) {
    super(`${folder} is in use by another process`);
    this.name = 'FolderInUse';
  }
}

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Whether another process holds the folder, as far as the kernel tells without anything being touched. A `false` is
 * no promise: whoever goes on must take the lock.
 */
export async function isKnownInUse(folder: string): Promise<boolean> {
  try {
    const { dev, ino } = await stat(join(folder, 'lock', 'LOCK'));
    // Linux numbers devices with 12 bits for the major number among others: glibc's gnu_dev_major and _minor.
    const major = ((dev >>> 8) & 0xfff).toString(16).padStart(2, '0');
    const minor = ((dev & 0xff) | ((dev >>> 12) & 0xfff00)).toString(16).padStart(2, '0');
    return (await readFile('/proc/locks', 'utf8')).includes(` ${major}:${minor}:${ino} `);
  } catch {
    return false;
  }
}

const LEAST_MEMORY = { cacheBytes: 0, writeBufferBytes: 0, shares: 1 };

/**
 * Claims a data folder for this process. Node has no call for file locks and RocksDB has: an empty database in
 * `<folder>/lock` is held open. The kernel lets go of it when the process ends, however it ends, and it holds
 * between containers that share the folder, which a file with a process id in it does not. Rejects with
 * {@link FolderInUse}.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const location = join(folder, 'lock');
  await mkdir(location, { recursive: true });
  const exists = await access(join(location, 'CURRENT')).then(
    () => true,
    () => false,
  );
  try {
    const held = await RocksStateStore.open(location, { memory: LEAST_MEMORY, create: !exists });
    return { release: () => held.close() };
  } catch (error) {
    throw asInUse(error, folder);
  }
}

/**
 * The same claim with no byte of the folder changed: the empty database is a temporary one, and the file that it
 * locks is a link to the folder's. A folder that was never claimed has none, and gets none: then nobody is kept out.
 */
export async function lockUntouched(folder: string): Promise<FolderLock> {
  const file = resolve(folder, 'lock', 'LOCK');
  const standIn = await emptyStandIn();
  try {
    await access(file).then(
      () => symlink(file, join(standIn.location, 'LOCK')),
      () => undefined,
    );
    const held = await RocksStateStore.open(standIn.location, { memory: LEAST_MEMORY, create: true });
    const release = async (): Promise<void> => {
      await held.close();
      await standIn.remove();
    };
    return { release };
  } catch (error) {
    await standIn.remove();
    throw asInUse(error, folder);
  }
}

function asInUse(error: unknown, folder: string): unknown {
  const isLocked = error instanceof StateStoreFailure && /lock/i.test(error.message);
  return isLocked ? new FolderInUse(folder) : error;
}
