/** Called once, on the event loop, never inside the call that started the operation. */
export type DiskDone = (error: Error | null) => void;

/** One open file. Reads are synchronous, whatever changes the disk is not. */
export interface SnapshotFile {
  sizeBytes(): number;
  /** Fills `into` from `position`; gives the number of bytes read, fewer only at the end. */
  read(into: Uint8Array, position: number): number;
  /** Writes `parts` one after the other from `position`, all of them or an error. Not durable before {@link sync}. */
  write(parts: readonly Uint8Array[], position: number, done: DiskDone): void;
  sync(done: DiskDone): void;
  close(): void;
}

/**
 * What snapshots need of a file system: the part of the log's port that is the same for both, so that its host and
 * its simulated twin serve here too.
 */
export interface SnapshotDisk {
  createFolder(path: string, done: DiskDone): void;
  /** Names in the folder. Throws when the folder is not there. */
  list(folder: string): readonly string[];
  open(path: string, access: 'read' | 'write'): SnapshotFile;
  /** Makes an empty file; throws when the name is taken. The name is not durable before {@link syncFolder}. */
  create(path: string): SnapshotFile;
  rename(from: string, to: string, done: DiskDone): void;
  remove(path: string, done: DiskDone): void;
  syncFolder(path: string, done: DiskDone): void;
}

/** Awaits one operation. */
export function completed(start: (done: DiskDone) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)));
  });
}
