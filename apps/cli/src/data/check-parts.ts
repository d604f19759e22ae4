import type { SnapshotPart, SnapshotRecord } from '#replication';
import { CommandFailure } from '../terminal';
import { isThere, placesIn } from './data-folder';
import { sha256 } from './sha256';

export interface CheckedParts {
  readonly rows: number;
  /** Of all rows, uncompressed: about what they take as a state. */
  readonly rawBytes: number;
}

/**
 * Reads every part of a snapshot and checks all that can be checked. Rejects with a `SnapshotCorruption` or a
 * {@link CommandFailure} that names the file. `onBytes` is told how much of the files was read.
 */
export async function checkParts(
  dataDir: string,
  record: SnapshotRecord,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<CheckedParts> {
  let rows = 0;
  let rawBytes = 0;
  let before = 0;
  for (const part of record.parts) {
    await readWholePart(dataDir, record, part, (bytes, position) => {
      rawBytes += bytes.length;
      onBytes(before + position);
    });
    before += part.bytes;
    rows += part.rows;
  }
  return { rows, rawBytes };
}

/** Reads one part, checks it, and that it is the one that the manifest means. */
export async function readWholePart(
  dataDir: string,
  record: SnapshotRecord,
  part: SnapshotPart,
  onPiece: (bytes: Uint8Array, positionBytes: number) => void | Promise<void>,
): Promise<void> {
  const { partName, readPart } = await import('#snapshots');
  const { nodeDisk } = await import('#wal');
  const file = `${placesIn(dataDir).snapshots}/${partName(record.snapshotId, part.group)}`;
  if (!(await isThere(file))) {
    throw new CommandFailure(`the snapshot ${record.snapshotId} is incomplete: ${file} is missing`);
  }
  const read = await readPart({ disk: nodeDisk, path: file, digest: sha256, onPiece });
  const isMeant =
    read.snapshotId === record.snapshotId &&
    read.part.group === part.group &&
    read.part.index === part.index &&
    read.part.digest === part.digest &&
    read.bytes === part.bytes;
  if (!isMeant) throw new CommandFailure(`${file} is not the file that the manifest of the snapshots means`);
}
