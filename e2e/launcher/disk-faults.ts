import { execFile } from 'node:child_process';
import { appendFile, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const run = promisify(execFile);

/** Segments of a node's log, oldest first. */
async function segments(dataDir: string): Promise<readonly string[]> {
  const folder = path.join(dataDir, 'wal');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.wal')).sort();
  if (names.length === 0) throw new Error(`no log in ${folder}`);
  return names.map((name) => path.join(folder, name));
}

/** Bytes of a segment before the zeros that it was prepared with. */
async function writtenBytes(segment: string): Promise<number> {
  const file = await open(segment, 'r');
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(size);
    await file.read(bytes, 0, size, 0);
    let end = size;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return end;
  } finally {
    await file.close();
  }
}

/** Damages what a sync had made durable: a byte in the middle of the newest segment. The node must be down. */
export async function flipByteInLog(dataDir: string): Promise<void> {
  const segment = (await segments(dataDir)).at(-1) ?? '';
  const at = Math.floor((await writtenBytes(segment)) / 2);
  const file = await open(segment, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
}

/** The newest records go, though they were synced: as a disk does that lies, or a folder from an older copy. */
export async function loseLogTail(dataDir: string, bytes: number): Promise<void> {
  const segment = (await segments(dataDir)).at(-1) ?? '';
  const end = await writtenBytes(segment);
  if (bytes >= end) throw new Error(`the log has only ${end} bytes`);
  const file = await open(segment, 'r+');
  try {
    await file.write(Buffer.alloc(bytes), 0, bytes, end - bytes);
  } finally {
    await file.close();
  }
}

/** The newest segment says that a program with another format wrote it; gives what sets it back. The node is down. */
export async function setLogVersion(dataDir: string, version: number): Promise<() => Promise<void>> {
  const segment = (await segments(dataDir)).at(-1) ?? '';
  const before = await readFile(segment);
  const preamble = Buffer.from(before.subarray(0, 16));
  preamble.writeUInt32LE(version, 8);
  preamble.writeUInt32LE(crc32(preamble.subarray(0, 12)), 12);
  await writeFile(segment, Buffer.concat([preamble, before.subarray(16)]));
  return () => writeFile(segment, before);
}

/** What a power cut in the middle of a write leaves after all that was synced: a piece of a record. The node must be down. */
export async function tearLogTail(dataDir: string): Promise<void> {
  const segment = (await segments(dataDir)).at(-1) ?? '';
  const end = await writtenBytes(segment);
  const file = await open(segment, 'r+');
  try {
    // The last record may end in zeros of its own, which are no part of the piece.
    await file.write(Buffer.alloc(300, 0xa5), 0, 300, end + 8);
  } finally {
    await file.close();
  }
}

/** A small disk of its own for a node, where this user may mount one. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** `undefined` where mounting is not allowed. */
  static async mount(folder: string, sizeMiB: number): Promise<SmallDisk | undefined> {
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder]);
      return new SmallDisk(folder);
    } catch {
      return undefined;
    }
  }

  /** Takes up the space until only this much is free. */
  async fill(leaveMiB: number): Promise<void> {
    const { stdout } = await run('df', ['--output=avail', '-B1', this.folder]);
    const free = Number(stdout.split('\n')[1]);
    const bytes = free - leaveMiB * 1_048_576;
    if (bytes > 0) await appendFile(path.join(this.folder, 'filler'), Buffer.alloc(bytes, 1));
  }

  async free(): Promise<void> {
    await rm(path.join(this.folder, 'filler'), { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', ['-l', this.folder]);
  }
}
