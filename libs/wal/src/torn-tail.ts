import { completed, type Disk } from './disk';
import { isDiskFull } from './errors';
import type { ScannedSegment, TornTail } from './log-scan';
import { TORN_FOLDER } from './segment';

/**
 * Puts zeros where the tail is torn, after keeping its bytes aside. Ending before the last step is harmless: the
 * next start finds a tail that is still torn. The zeros are durable before anything new is written over them.
 */
export async function cutTornTail(
  disk: Disk,
  dir: string,
  segment: ScannedSegment,
  tail: TornTail,
): Promise<void> {
  const bytes = new Uint8Array(tail.endOffset - tail.offset);
  segment.file.read(bytes, tail.offset);
  try {
    await keepAside(disk, `${dir}/${TORN_FOLDER}`, `${segment.name}-${tail.offset}`, bytes);
  } catch (error) {
    // What was never acknowledged is worth keeping for an investigation, but not worth a start refused.
    if (!isDiskFull(error as Error)) throw error;
  }
  await completed((done) => segment.file.write([new Uint8Array(bytes.byteLength)], tail.offset, done));
}

async function keepAside(disk: Disk, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await completed((done) => disk.createFolder(folder, done));
  const taken = new Set(disk.list(folder));
  let freeName = name;
  for (let copy = 2; taken.has(freeName); copy++) freeName = `${name}-${copy}`;
  const file = disk.create(`${folder}/${freeName}`);
  try {
    await completed((done) => file.write([bytes], 0, done));
    await completed((done) => file.sync(done));
  } finally {
    file.close();
  }
  await completed((done) => disk.syncFolder(folder, done));
}

/** Whether bytes were kept aside. */
export function hasTornTails(disk: Disk, dir: string): boolean {
  return namesIn(disk, `${dir}/${TORN_FOLDER}`).length > 0;
}

/** Removes what was kept aside, for good: the bytes in it may have to be nowhere any more. */
export async function forgetTornTails(disk: Disk, dir: string): Promise<void> {
  const folder = `${dir}/${TORN_FOLDER}`;
  const names = namesIn(disk, folder);
  if (names.length === 0) return;
  for (const name of names) await completed((done) => disk.remove(`${folder}/${name}`, done));
  await completed((done) => disk.syncFolder(folder, done));
}

/** The folder is made when it is first needed. */
function namesIn(disk: Disk, folder: string): readonly string[] {
  try {
    return disk.list(folder);
  } catch {
    return [];
  }
}
