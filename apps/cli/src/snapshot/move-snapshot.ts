import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { SnapshotRecord } from '#replication';
import { readWholePart } from '../data/check-parts';
import { claim, isThere, placesIn } from '../data/data-folder';
import { sha256 } from '../data/sha256';
import { CommandFailure } from '../terminal';

/** Writes a snapshot into a new file; gives its length. Nothing is left of a file that cannot be finished. */
export async function exportTo(dataDir: string, record: SnapshotRecord, file: string): Promise<number> {
  const { exportSnapshot } = await import('#snapshots');
  const { nodeDisk } = await import('#wal');
  if (await isThere(file)) throw new CommandFailure(`${file} is there already`);
  const to = { folder: path.dirname(path.resolve(file)), name: path.basename(file) };
  if (!(await isThere(to.folder))) throw new CommandFailure(`there is no folder ${to.folder}`);
  try {
    return await exportSnapshot(nodeDisk, placesIn(dataDir).snapshots, record, to);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Puts an exported snapshot among those of a data folder, once all of it was read and checked. */
export async function importFrom(dataDir: string, file: string): Promise<SnapshotRecord> {
  const { openArchive, partName, readExported, readPart } = await import('#snapshots');
  const { nodeDisk } = await import('#wal');
  if (!(await isThere(file))) throw new CommandFailure(`there is no file ${file}`);
  const exported = readExported(nodeDisk, file);
  const { record } = exported;
  const { snapshots: dir } = placesIn(dataDir);
  const lock = await claim(dataDir);
  try {
    const archive = await openArchive({ dir, disk: nodeDisk });
    if (archive.records().some(({ snapshotId }) => snapshotId === record.snapshotId)) {
      throw new CommandFailure(`the snapshot ${record.snapshotId} is in ${dir} already`);
    }
    try {
      for (const part of record.parts) {
        const target = `${dir}/${partName(record.snapshotId, part.group)}.tmp`;
        await exported.extract(nodeDisk, part, target);
        await readPart({ disk: nodeDisk, path: target, digest: sha256, onPiece: () => undefined });
      }
      await archive.publish(record);
    } catch (error) {
      await archive.discard(record.snapshotId);
      throw error;
    }
    for (const part of record.parts) await readWholePart(dataDir, record, part, () => undefined);
    return record;
  } finally {
    exported.close();
    await lock.release();
  }
}
