/** Called once, on the event loop, never inside the call that started the operation. */
export type DiskDone = (error: Error | null) => void;

/** How a file is opened: `synced` makes every write durable by itself, in one trip to the disk instead of two. */
export type DiskAccess = 'read' | 'write' | 'synced';

/** One open file. Reads are synchronous, whatever changes the disk is not. */
export interface DiskFile {
  /** Length in bytes, unsynced growth included. */
  sizeBytes(): number;
  /** Fills `into` from `position`; gives the number of bytes read, fewer only at the end. Sees unsynced writes. */
  read(into: Uint8Array, position: number): number;
  /**
   * Writes `parts` one after the other from `position`, all of them or an error (then any part of them may be
   * on the disk). The parts must stay untouched until `done`. Durable then if the file was opened `synced`, with the
   * length that reading them needs; else not before {@link sync}.
   */
  write(parts: readonly Uint8Array[], position: number, done: DiskDone): void;
  /**
   * Makes every write that was done before the call durable, the file's length included. After an error
   * nothing is known about any of them, and a second call may wrongly succeed.
   */
  sync(done: DiskDone): void;
  close(): void;
}

/**
 * What the log needs of a file system. All that the log decides is above this port, so that the same code runs
 * over a simulated disk that tears, loses and lies. Paths are absolute or relative to the process, with `/`.
 */
export interface Disk {
  /** Makes the folder and its parents, durably; not an error when it is there. */
  createFolder(path: string, done: DiskDone): void;
  /** Names in the folder, in no order. Throws when the folder is not there. */
  list(folder: string): readonly string[];
  /** Throws when the file is not there. `access` is a promise of the caller: `read` must not write. */
  open(path: string, access: DiskAccess): DiskFile;
  /** Makes an empty file; throws when the name is taken. The name is not durable before {@link syncFolder}. */
  create(path: string, access?: Exclude<DiskAccess, 'read'>): DiskFile;
  /** Not durable before {@link syncFolder}. An open file stays open under its new name. */
  rename(from: string, to: string, done: DiskDone): void;
  /** Not durable before {@link syncFolder}. */
  remove(path: string, done: DiskDone): void;
  /** Makes all creations, renames and removals in the folder durable. */
  syncFolder(path: string, done: DiskDone): void;
  /** Bytes that this process may still take on the folder's file system. */
  freeBytes(folder: string, done: (error: Error | null, bytes: number) => void): void;
}

/** Awaits one operation of a {@link Disk}, for code that runs before or after the log's life, never within it. */
export function completed(start: (done: DiskDone) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)));
  });
}
