import type { Disk, DiskAccess, DiskDone, DiskFile } from '#wal';

/** What a disk keeps whole: bytes of one sector are written together. A crash may tear one all the same. */
const SECTOR_BYTES = 512;

export type SimOperationKind =
  'createFolder' | 'create' | 'write' | 'sync' | 'rename' | 'remove' | 'syncFolder' | 'freeBytes';

export interface SimOperation {
  readonly kind: SimOperationKind;
  readonly path: string;
  /** Of a write. */
  readonly position?: number;
  readonly bytes?: number;
}

export interface SimDiskOptions {
  /** What all files together may take; unlimited by default. */
  readonly capacityBytes?: number;
  /** Called as each operation takes place; an error it gives is the operation's outcome, with no effect. */
  readonly inject?: (operation: SimOperation) => Error | undefined;
}

/** Gives a whole number from 0 to below `bound`. */
export type SimRandom = (bound: number) => number;

/** A file's bytes, as processes see them and as they are on the platter. */
interface Inode {
  /** Its name now, for the history. */
  path: string;
  cached: Uint8Array;
  durable: Uint8Array;
  /** Sectors written since the last sync. */
  readonly dirty: Set<number>;
}

type NameChange =
  | { readonly kind: 'create'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string };

interface Folder {
  readonly cached: Map<string, Inode>;
  durable: Map<string, Inode>;
  /** Changes of names since the folder was last synced, in order. */
  changes: NameChange[];
}

interface Pending {
  readonly operation: SimOperation;
  /** Takes effect; an error means that it has not. */
  readonly perform: () => void;
  readonly done: (error: Error | null) => void;
}

/** An error as the operating system gives it. */
export function diskError(code: 'EIO' | 'ENOSPC' | 'ENOENT' | 'EEXIST'): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/**
 * A disk in memory with a page cache: what is not synced may be lost, kept or torn at a {@link crash}, sector by
 * sector and name by name, as the random given chooses. Asynchronous operations wait until {@link runNext} lets
 * one take place, in the order they were started; in `automatic` mode each takes place on its own in a
 * microtask. Every operation that changes anything is in {@link history}.
 */
export class SimDisk implements Disk {
  automatic = false;
  inject: ((operation: SimOperation) => Error | undefined) | undefined;
  capacityBytes: number;
  readonly history: SimOperation[] = [];
  private readonly folders = new Map<string, Folder>();
  private pending: Pending[] = [];
  /** Handles and operations of before a crash are of an older era and do nothing. */
  private era = 0;

  constructor(options: SimDiskOptions = {}) {
    this.capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
    this.inject = options.inject;
  }

  get pendingOperations(): number {
    return this.pending.length;
  }

  /** What {@link runNext} would let take place. */
  get nextOperation(): SimOperation | undefined {
    return this.pending[0]?.operation;
  }

  /** What all files take together, as processes see them. */
  get usedBytes(): number {
    return this.takenBytes();
  }

  /** Paths of all files, as processes see them. */
  files(): readonly string[] {
    return [...this.folders].flatMap(([folder, { cached }]) =>
      [...cached.keys()].map((name) => `${folder}/${name}`),
    );
  }

  /** The oldest operation takes place and its callback runs; false when there is none. */
  runNext(): boolean {
    const next = this.pending.shift();
    if (next === undefined) return false;
    let outcome: Error | null = null;
    try {
      this.take(next.operation);
      next.perform();
    } catch (error) {
      outcome = error as Error;
    }
    next.done(outcome);
    return true;
  }

  /** Runs operations, those they lead to as well, until none is left. */
  runAll(): void {
    while (this.runNext());
  }

  /**
   * The machine stops and starts again. Operations under way may or may not have begun; of what was not synced,
   * each sector and each change of a name is kept or lost. Files that were open are not any more.
   */
  crash(random: SimRandom): void {
    for (const { operation, perform } of this.pending) {
      if (operation.kind === 'sync' || operation.kind === 'syncFolder' || random(2) === 0) continue;
      try {
        perform();
      } catch {
        // An operation that would have failed has no effect.
      }
    }
    this.end();
    // Sometimes all or nothing: uniformly mixed fates alone would hardly ever show these.
    const fate = random(4);
    const kept = (): boolean => (fate === 0 ? true : fate === 1 ? false : random(2) === 0);
    for (const [path, folder] of this.folders) crashNames(path, folder, kept);
    for (const inode of this.inodes()) crashBytes(inode, kept, random);
  }

  /** The process is killed and the machine lives on: the page cache keeps everything, handles are gone. */
  end(): void {
    this.era++;
    this.pending = [];
  }

  /** Changes bytes behind the log's back, on the platter and in the cache. */
  corrupt(path: string, position: number, xor: number): void {
    const inode = this.inode(path);
    for (const bytes of new Set([inode.cached, inode.durable])) {
      if (position < bytes.byteLength) bytes[position] = (bytes[position] as number) ^ xor;
    }
  }

  /** A copy of what a process would read. */
  contents(path: string): Uint8Array {
    return this.inode(path).cached.slice();
  }

  /** Puts a whole file in place, durably. */
  place(path: string, bytes: Uint8Array): void {
    const { folder, name } = split(path);
    const target = this.makeFolder(folder);
    const inode: Inode = { path, cached: bytes.slice(), durable: bytes.slice(), dirty: new Set() };
    target.cached.set(name, inode);
    target.durable.set(name, inode);
  }

  /** A disk with the same files, all of them durable, and nothing under way. */
  copy(): SimDisk {
    const copy = new SimDisk({ capacityBytes: this.capacityBytes });
    for (const [path, folder] of this.folders) {
      copy.makeFolder(path);
      for (const [name, inode] of folder.cached) copy.place(`${path}/${name}`, inode.cached);
    }
    return copy;
  }

  createFolder(path: string, done: DiskDone): void {
    this.start({ kind: 'createFolder', path }, () => void this.makeFolder(path), done);
  }

  list(folder: string): readonly string[] {
    return [...this.folder(folder).cached.keys()];
  }

  open(path: string, access: DiskAccess): DiskFile {
    return this.handle(this.inode(path), access);
  }

  create(path: string, access: DiskAccess = 'write'): DiskFile {
    const { folder, name } = split(path);
    const target = this.folder(folder);
    if (target.cached.has(name)) throw diskError('EEXIST');
    this.take({ kind: 'create', path });
    const inode: Inode = { path, cached: new Uint8Array(0), durable: new Uint8Array(0), dirty: new Set() };
    target.cached.set(name, inode);
    target.changes.push({ kind: 'create', name, inode });
    return this.handle(inode, access);
  }

  rename(from: string, to: string, done: DiskDone): void {
    const { folder, name } = split(from);
    const target = split(to);
    if (target.folder !== folder) throw new Error('the simulated disk renames within one folder only');
    const perform = (): void => {
      const { cached, changes } = this.folder(folder);
      const inode = this.inode(from);
      cached.delete(name);
      cached.set(target.name, inode);
      inode.path = to;
      changes.push({ kind: 'rename', name, to: target.name });
    };
    this.start({ kind: 'rename', path: from }, perform, done);
  }

  remove(path: string, done: DiskDone): void {
    const { folder, name } = split(path);
    const perform = (): void => {
      const { cached, changes } = this.folder(folder);
      if (!cached.delete(name)) throw diskError('ENOENT');
      changes.push({ kind: 'remove', name });
    };
    this.start({ kind: 'remove', path }, perform, done);
  }

  syncFolder(path: string, done: DiskDone): void {
    const perform = (): void => {
      const folder = this.folder(path);
      folder.durable = new Map(folder.cached);
      folder.changes = [];
    };
    this.start({ kind: 'syncFolder', path }, perform, done);
  }

  freeBytes(path: string, done: (error: Error | null, bytes: number) => void): void {
    let bytes = 0;
    const perform = (): void => {
      bytes = Math.max(0, this.capacityBytes - this.takenBytes());
    };
    this.start({ kind: 'freeBytes', path }, perform, (error) => done(error, bytes));
  }

  private handle(inode: Inode, access: DiskAccess): DiskFile {
    const { era } = this;
    let open = true;
    const assertUsable = (): void => {
      if (!open || era !== this.era) throw new Error(`${inode.path} is not open any more`);
    };
    const sync = (done: DiskDone): void => {
      const perform = (): void => {
        inode.durable = inode.cached.slice();
        inode.dirty.clear();
      };
      this.start({ kind: 'sync', path: inode.path }, perform, done);
    };
    return {
      sizeBytes: () => inode.cached.byteLength,
      read: (into, position) => {
        assertUsable();
        const bytes = inode.cached.subarray(position, position + into.byteLength);
        into.set(bytes);
        return bytes.byteLength;
      },
      write: (parts, position, done) => {
        assertUsable();
        if (access === 'read') throw new Error(`${inode.path} was opened for reading`);
        const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
        const perform = (): void => this.writeInto(inode, parts, position, bytes);
        // A synced write is two operations here, so that a crash finds every state between them.
        const synced: DiskDone = (error) => (error === null ? sync(done) : done(error));
        const then = access === 'synced' ? synced : done;
        this.start({ kind: 'write', path: inode.path, position, bytes }, perform, then);
      },
      sync: (done) => {
        assertUsable();
        sync(done);
      },
      close: () => {
        if (era === this.era) assertUsable();
        open = false;
      },
    };
  }

  private writeInto(inode: Inode, parts: readonly Uint8Array[], position: number, bytes: number): void {
    const end = position + bytes;
    const growth = Math.max(0, end - inode.cached.byteLength);
    if (growth > 0) {
      if (this.takenBytes() + growth > this.capacityBytes) throw diskError('ENOSPC');
      const grown = new Uint8Array(end);
      grown.set(inode.cached);
      inode.cached = grown;
    }
    let at = position;
    for (const part of parts) {
      inode.cached.set(part, at);
      at += part.byteLength;
    }
    const lastSector = Math.floor((end - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(position / SECTOR_BYTES); sector <= lastSector; sector++)
      inode.dirty.add(sector);
  }

  private start(operation: SimOperation, perform: () => void, done: (error: Error | null) => void): void {
    const { era } = this;
    this.pending.push({ operation, perform, done });
    if (this.automatic) queueMicrotask(() => era === this.era && this.runNext());
  }

  /** Records the operation, or throws what was injected for it. */
  private take(operation: SimOperation): void {
    this.history.push(operation);
    const error = this.inject?.(operation);
    if (error !== undefined) throw error;
  }

  private takenBytes(): number {
    let bytes = 0;
    for (const { cached } of this.folders.values()) {
      for (const inode of cached.values()) bytes += inode.cached.byteLength;
    }
    return bytes;
  }

  private inodes(): Set<Inode> {
    return new Set([...this.folders.values()].flatMap((folder) => [...folder.cached.values()]));
  }

  private makeFolder(path: string): Folder {
    const known = this.folders.get(path);
    if (known !== undefined) return known;
    const folder: Folder = { cached: new Map(), durable: new Map(), changes: [] };
    this.folders.set(path, folder);
    return folder;
  }

  private folder(path: string): Folder {
    const folder = this.folders.get(path);
    if (folder === undefined) throw diskError('ENOENT');
    return folder;
  }

  private inode(path: string): Inode {
    const { folder, name } = split(path);
    const inode = this.folder(folder).cached.get(name);
    if (inode === undefined) throw diskError('ENOENT');
    return inode;
  }
}

/** Of the unsynced changes each is kept or lost; one that needs a lost one before it is lost with it. */
function crashNames(path: string, folder: Folder, kept: () => boolean): void {
  const names = folder.durable;
  for (const change of folder.changes) {
    if (!kept()) continue;
    if (change.kind === 'create') names.set(change.name, change.inode);
    else {
      const inode = names.get(change.name);
      if (inode === undefined) continue;
      names.delete(change.name);
      if (change.kind === 'rename') names.set(change.to, inode);
    }
  }
  folder.cached.clear();
  for (const [name, inode] of names) {
    inode.path = `${path}/${name}`;
    folder.cached.set(name, inode);
  }
  folder.durable = new Map(names);
  folder.changes = [];
}

/** Of the unsynced sectors each is kept or lost, and the last of them may be cut in the middle. */
function crashBytes(inode: Inode, kept: () => boolean, random: SimRandom): void {
  const { cached, durable, dirty } = inode;
  if (dirty.size === 0) return;
  const length = kept() ? cached.byteLength : durable.byteLength;
  const bytes = new Uint8Array(length);
  bytes.set(durable.subarray(0, length));
  const torn = random(3) === 0 ? [...dirty][random(dirty.size)] : undefined;
  for (const sector of dirty) {
    if (!kept()) continue;
    const start = sector * SECTOR_BYTES;
    const keptBytes = sector === torn ? random(SECTOR_BYTES) : SECTOR_BYTES;
    const end = Math.min(start + keptBytes, length);
    if (start < end) bytes.set(cached.subarray(start, end), start);
  }
  inode.cached = bytes;
  inode.durable = bytes.slice();
  dirty.clear();
}

function split(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}
