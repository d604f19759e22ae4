import { ByteReader, ByteWriter } from '#codec';
import type { SnapshotRecord } from '#replication';
import { partName } from './archive';
import { SnapshotCorruption, SnapshotFormatUnsupported } from './errors';
import { decodeManifest, encodeManifest } from './manifest';
import { completed, type SnapshotDisk, type SnapshotFile } from './snapshot-disk';

/** Version of the frame of an exported snapshot; its parts have their own. */
export const EXPORT_FORMAT_VERSION = 1;
const MAGIC = Uint8Array.from([0x41, 0x53, 0x45, 0x58, 0x50, 0x4f, 0x52, 0x54]);
const HEAD_BYTES = 16;
const COPY_BYTES = 1024 * 1024;

/** Writes a snapshot into one file, synced: a head, the record as a manifest of one, and the parts as they are. */
export async function exportSnapshot(
  disk: SnapshotDisk,
  folder: string,
  record: SnapshotRecord,
  to: { readonly folder: string; readonly name: string },
): Promise<number> {
  const manifest = encodeManifest([record]);
  const head = new ByteWriter(HEAD_BYTES);
  head.raw(MAGIC);
  head.u32(EXPORT_FORMAT_VERSION);
  head.u32(manifest.length);
  const target = disk.create(`${to.folder}/${to.name}`);
  try {
    await completed((done) => target.write([head.finish(), manifest], 0, done));
    let position = HEAD_BYTES + manifest.length;
    for (const { group, bytes } of record.parts) {
      const source = disk.open(`${folder}/${partName(record.snapshotId, group)}`, 'read');
      try {
        await copy(source, { at: 0, bytes }, target, position);
      } finally {
        source.close();
      }
      position += bytes;
    }
    await completed((done) => target.sync(done));
    await completed((done) => disk.syncFolder(to.folder, done));
    return position;
  } finally {
    target.close();
  }
}

/** Reads the head of an exported file. Throws `SnapshotCorruption` or `SnapshotFormatUnsupported`. */
export function readExported(disk: SnapshotDisk, path: string): ExportedSnapshot {
  const file = disk.open(path, 'read');
  try {
    return new ExportedSnapshot(file, path);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** An exported snapshot, open for reading. */
export class ExportedSnapshot {
  readonly record: SnapshotRecord;
  private readonly offsets = new Map<number, number>();

  constructor(
    private readonly file: SnapshotFile,
    private readonly path: string,
  ) {
    const head = new Uint8Array(HEAD_BYTES);
    const isExport = file.read(head, 0) === HEAD_BYTES && MAGIC.every((byte, at) => head[at] === byte);
    if (!isExport) throw new SnapshotCorruption(path, 'it is no exported snapshot');
    const reader = new ByteReader(head, MAGIC.length);
    const version = reader.u32();
    if (version > EXPORT_FORMAT_VERSION) {
      throw new SnapshotFormatUnsupported(path, version, EXPORT_FORMAT_VERSION);
    }
    const manifestBytes = reader.u32();
    let position = HEAD_BYTES + manifestBytes;
    if (position > file.sizeBytes()) throw new SnapshotCorruption(path, 'it is damaged or cut off');
    const manifest = new Uint8Array(manifestBytes);
    file.read(manifest, HEAD_BYTES);
    const [record] = decodeManifest(manifest, path);
    if (record === undefined) throw new SnapshotCorruption(path, 'it names no snapshot');
    this.record = record;
    for (const { group, bytes } of record.parts) {
      this.offsets.set(group, position);
      position += bytes;
    }
    if (position !== file.sizeBytes()) {
      throw new SnapshotCorruption(path, `it has ${file.sizeBytes()} bytes, and ${position} were written`);
    }
  }

  /** Copies a part into a new file of that path and syncs it. What it holds is for the caller to check. */
  async extract(disk: SnapshotDisk, part: SnapshotRecord['parts'][number], to: string): Promise<void> {
    const at = this.offsets.get(part.group);
    if (at === undefined) throw new SnapshotCorruption(this.path, `it has no group ${part.group}`);
    const target = disk.create(to);
    try {
      await copy(this.file, { at, bytes: part.bytes }, target, 0);
      await completed((done) => target.sync(done));
    } finally {
      target.close();
    }
  }

  close(): void {
    this.file.close();
  }
}

async function copy(
  source: SnapshotFile,
  from: { readonly at: number; readonly bytes: number },
  target: SnapshotFile,
  to: number,
): Promise<void> {
  for (let done = 0; done < from.bytes;) {
    const piece = new Uint8Array(Math.min(COPY_BYTES, from.bytes - done));
    if (source.read(piece, from.at + done) < piece.length) {
      throw new Error('a part of a snapshot is shorter than it was written');
    }
    const position = to + done;
    await completed((written) => target.write([piece], position, written));
    done += piece.length;
  }
}
