import { crc32 } from 'node:zlib';
import { decodeUtf8, encodeUtf8 } from '#codec';
import type { SnapshotRecord } from '#replication';
import { SnapshotCorruption, SnapshotFormatUnsupported } from './errors';
import { completed, type SnapshotDisk } from './snapshot-disk';

export const MANIFEST_FORMAT_VERSION = 1;
export const MANIFEST_NAME = 'MANIFEST';
const HEAD = /^agentstate-snapshots (\d+) ([0-9a-f]{8})\n/;

/** The snapshots that the manifest in the folder names, oldest first; none without one. */
export function readManifest(disk: SnapshotDisk, folder: string): readonly SnapshotRecord[] {
  if (!disk.list(folder).includes(MANIFEST_NAME)) return [];
  const path = `${folder}/${MANIFEST_NAME}`;
  const file = disk.open(path, 'read');
  const bytes = new Uint8Array(file.sizeBytes());
  file.read(bytes, 0);
  file.close();
  return decodeManifest(bytes, path);
}

export function decodeManifest(bytes: Uint8Array, path: string): readonly SnapshotRecord[] {
  const lineEnd = bytes.indexOf(0x0a) + 1;
  const head = HEAD.exec(Buffer.from(bytes.subarray(0, lineEnd)).toString('latin1'));
  if (head === null) throw new SnapshotCorruption(path, 'it does not begin like a manifest');
  const version = Number(head[1]);
  if (version !== MANIFEST_FORMAT_VERSION) {
    throw new SnapshotFormatUnsupported(path, version, MANIFEST_FORMAT_VERSION);
  }
  const body = bytes.subarray(lineEnd);
  if (crc32(body) !== parseInt(head[2] as string, 16)) {
    throw new SnapshotCorruption(path, 'its checksum does not match');
  }
  return (JSON.parse(decodeUtf8(body)) as { readonly snapshots: readonly SnapshotRecord[] }).snapshots;
}

export function encodeManifest(snapshots: readonly SnapshotRecord[]): Uint8Array {
  const body = encodeUtf8(`${JSON.stringify({ snapshots }, undefined, 2)}\n`);
  const sum = crc32(body).toString(16).padStart(8, '0');
  return Buffer.concat([encodeUtf8(`agentstate-snapshots ${MANIFEST_FORMAT_VERSION} ${sum}\n`), body]);
}

/** Puts another manifest in the place of the one there; a crash leaves one or the other. */
export async function writeManifest(
  disk: SnapshotDisk,
  folder: string,
  snapshots: readonly SnapshotRecord[],
): Promise<void> {
  const path = `${folder}/${MANIFEST_NAME}`;
  const next = `${path}.tmp`;
  if (disk.list(folder).includes(`${MANIFEST_NAME}.tmp`)) await completed((done) => disk.remove(next, done));
  const file = disk.create(next);
  try {
    await completed((done) => file.write([encodeManifest(snapshots)], 0, done));
    await completed((done) => file.sync(done));
  } finally {
    file.close();
  }
  await completed((done) => disk.rename(next, path, done));
  await completed((done) => disk.syncFolder(folder, done));
}
