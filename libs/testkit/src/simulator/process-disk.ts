import type { Disk } from '#wal';
import type { Life } from './scheduler';

/**
 * The disk as one run of a process reaches it. A promise that was settled just before the process died still runs on
 * in this one real process: what it asks of the disk is never answered, so that no dead node writes beside the next.
 */
export function processDisk(disk: Disk, life: Life): Disk {
  const assertAlive = (): void => {
    if (!life.alive) throw new Error(`${life.name} is gone`);
  };
  return {
    createFolder: (path, done) => life.alive && disk.createFolder(path, done),
    list: (folder) => {
      assertAlive();
      return disk.list(folder);
    },
    open: (path, access) => {
      assertAlive();
      return disk.open(path, access);
    },
    create: (path, access) => {
      assertAlive();
      return disk.create(path, access);
    },
    rename: (from, to, done) => life.alive && disk.rename(from, to, done),
    remove: (path, done) => life.alive && disk.remove(path, done),
    syncFolder: (path, done) => life.alive && disk.syncFolder(path, done),
    freeBytes: (folder, done) => life.alive && disk.freeBytes(folder, done),
  };
}
