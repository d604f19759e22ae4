import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { SnapshotRecord } from '#replication';
import type { FolderLock } from '#storage';
import { CommandFailure } from '../terminal';

/** Folders and files in a node's data folder that commands look into. */
export const placesIn = (dataDir: string): Readonly<Record<'wal' | 'groups' | 'snapshots', string>> => ({
  wal: path.join(dataDir, 'wal'),
  groups: path.join(dataDir, 'groups'),
  snapshots: path.join(dataDir, 'snapshots'),
});

export async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Fails unless there is a data folder that no node uses, as far as can be told without touching it. */
export async function expectFree(dataDir: string): Promise<void> {
  const { isKnownInUse } = await import('#storage');
  if (!(await isThere(dataDir))) throw new CommandFailure(`there is no folder ${dataDir}`);
  if (await isKnownInUse(dataDir)) throw inUse(dataDir);
}

/** Takes the data folder for this process; `untouched`: without a change in it, for whoever only reads. */
export async function claim(dataDir: string, how?: 'untouched'): Promise<FolderLock> {
  const { FolderInUse, lockFolder, lockUntouched } = await import('#storage');
  try {
    return await (how === 'untouched' ? lockUntouched : lockFolder)(dataDir);
  } catch (error) {
    throw error instanceof FolderInUse ? inUse(dataDir) : error;
  }
}

/** The named snapshots in a data folder, oldest first. */
export async function snapshotsIn(dataDir: string): Promise<readonly SnapshotRecord[]> {
  const { readManifest } = await import('#snapshots');
  const { nodeDisk } = await import('#wal');
  const { snapshots } = placesIn(dataDir);
  return (await isThere(snapshots)) ? readManifest(nodeDisk, snapshots) : [];
}

export async function snapshotIn(dataDir: string, snapshotId: string): Promise<SnapshotRecord> {
  const records = await snapshotsIn(dataDir);
  const record = records.find((one) => one.snapshotId === snapshotId);
  if (record !== undefined) return record;
  const known = records.map((one) => one.snapshotId).join(', ');
  const there = known === '' ? 'there is none there' : `there are: ${known}`;
  throw new CommandFailure(`no snapshot ${snapshotId} in ${placesIn(dataDir).snapshots}; ${there}`);
}

function inUse(dataDir: string): CommandFailure {
  return new CommandFailure(`${dataDir} is in use by a running node; stop it first`);
}
