import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Disk, DiskAccess, DiskDone, DiskFile } from './disk';

const { O_CREAT, O_DSYNC, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
/** For `create`: what the process's umask leaves of it, as for any file. */
const MODE = 0o666;

/** The file system of this machine. Operations run on libuv's pool (`UV_THREADPOOL_SIZE`). */
export const nodeDisk: Disk = {
  createFolder(path, done) {
    fs.mkdir(path, { recursive: true }, (error) => {
      if (error !== null) return done(error);
      syncFolder(dirname(path), done);
    });
  },
  list: (folder) => fs.readdirSync(folder),
  open: (path, access) => new NodeFile(fs.openSync(path, flags(access))),
  create: (path, access = 'write') => new NodeFile(fs.openSync(path, flags(access) | O_CREAT | O_EXCL, MODE)),
  rename: (from, to, done) => fs.rename(from, to, done),
  remove: (path, done) => fs.unlink(path, done),
  syncFolder,
  freeBytes(folder, done) {
    fs.statfs(folder, (error, stats) => {
      if (error !== null) done(error, 0);
      else done(null, stats.bavail * stats.bsize);
    });
  },
};

function flags(access: DiskAccess): number {
  if (access === 'read') return O_RDONLY;
  return access === 'synced' ? O_RDWR | O_DSYNC : O_RDWR;
}

function syncFolder(path: string, done: DiskDone): void {
  fs.open(path, 'r', (openError, descriptor) => {
    if (openError !== null) return done(openError);
    fs.fsync(descriptor, (syncError) => {
      fs.close(descriptor, (closeError) => done(syncError ?? closeError ?? null));
    });
  });
}

class NodeFile implements DiskFile {
  constructor(private readonly descriptor: number) {}

  sizeBytes(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  read(into: Uint8Array, position: number): number {
    let total = 0;
    while (total < into.byteLength) {
      const count = fs.readSync(this.descriptor, into, total, into.byteLength - total, position + total);
      if (count === 0) break;
      total += count;
    }
    return total;
  }

  write(parts: readonly Uint8Array[], position: number, done: DiskDone): void {
    let bytes = 0;
    for (const part of parts) bytes += part.byteLength;
    const only = parts[0];
    const after = (error: Error | null, written: number): void => {
      if (error !== null) return done(error);
      if (written === bytes) return done(null);
      // A short write is followed up: the next call says what stands in the way.
      if (written === 0) return done(new Error('the file system took no bytes of a write'));
      this.write(partsFrom(parts, written), position + written, done);
    };
    if (parts.length === 1 && only !== undefined) {
      fs.write(this.descriptor, only, 0, only.byteLength, position, after);
    } else {
      fs.writev(this.descriptor, parts, position, after);
    }
  }

  sync(done: DiskDone): void {
    fs.fdatasync(this.descriptor, (error) => done(error));
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

function partsFrom(parts: readonly Uint8Array[], skipBytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = skipBytes;
  for (const part of parts) {
    if (skip >= part.byteLength) skip -= part.byteLength;
    else {
      rest.push(skip === 0 ? part : part.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
