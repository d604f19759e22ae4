import type { SnapshotPart } from '#replication';
import { SimDisk, seededRandom, sha256 } from '#testkit';
import { FOLDER, diskOf, openOn, sampleState, take } from '../testing/sample';
import { type Archive, partName } from './archive';
import { readPart } from './read-part';
import type { SnapshotDisk } from './snapshot-disk';

const FATES = 4;
const states = [sampleState(3), sampleState(150)];

/** Lets operations of the disk take place until `operations` have, or the work is done. */
async function drive(disk: SimDisk, work: Promise<unknown>, operations: number): Promise<boolean> {
  let isDone = false;
  work.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  while (!isDone && disk.history.length < operations) {
    await new Promise((resolve) => setImmediate(resolve));
    if (disk.history.length < operations) disk.runNext();
  }
  return isDone;
}

/** Two snapshots are taken and the older one is removed; says what was acknowledged. */
async function workload(disk: SnapshotDisk, acknowledged: Set<string>): Promise<void> {
  const archive = await openOn(disk);
  for (const id of ['snap-1', 'snap-2']) {
    await take(archive, id, states);
    acknowledged.add(id);
  }
  acknowledged.delete('snap-1');
  await archive.retain(({ snapshotId }) => snapshotId !== 'snap-1');
  acknowledged.add('removed');
}

const withoutBytes = ({ bytes, ...part }: SnapshotPart): object => (bytes > 0 ? part : {});

async function expectWhole(disk: SimDisk, archive: Archive): Promise<void> {
  for (const { snapshotId, parts } of archive.records()) {
    expect(parts).toHaveLength(2);
    for (const part of parts) {
      const path = `${FOLDER}/${partName(snapshotId, part.group)}`;
      const read = await readPart({ disk, path, digest: sha256, onPiece: () => undefined });
      expect(read).toEqual({ snapshotId, bytes: part.bytes, part: withoutBytes(part) });
    }
  }
}

/**
 * Goal: a snapshot is there whole or not at all, and one that was acknowledged stays. Method: the work is cut off
 * after each operation of the disk, by a kill or by a crash that loses, keeps or tears what was not synced.
 */
it('survives a crash after every operation of the disk', async () => {
  const whole = new SimDisk();
  expect(await drive(whole, workload(whole, new Set()), Infinity)).toBe(true);
  const total = whole.history.length;
  expect(total).toBeGreaterThan(25);
  for (let operations = 0; operations <= total; operations++) {
    for (let fate = 0; fate < FATES; fate++) {
      const disk = new SimDisk();
      const acknowledged = new Set<string>();
      const life = { alive: true };
      await drive(disk, workload(diskOf(disk, life), acknowledged), operations);
      life.alive = false;
      if (fate === 0) disk.end();
      else disk.crash(seededRandom(operations * 10 + fate));
      disk.automatic = true;
      const archive = await openOn(disk);
      const names = archive.records().map(({ snapshotId }) => snapshotId);
      for (const id of acknowledged) if (id !== 'removed') expect(names).toContain(id);
      if (acknowledged.has('removed')) expect(names).toEqual(['snap-2']);
      await expectWhole(disk, archive);
      // Nothing else is left, and it goes on.
      const files = names.flatMap((id) => [`${id}.group-0`, `${id}.group-1`]);
      expect(new Set(disk.list(FOLDER).filter((name) => name !== 'MANIFEST'))).toEqual(new Set(files));
      await take(archive, 'snap-3', states);
      expect((await openOn(disk)).records().map(({ snapshotId }) => snapshotId)).toEqual([
        ...names,
        'snap-3',
      ]);
    }
  }
}, 120_000);

it('notices every flipped bit of a part and of the manifest', async () => {
  const disk = new SimDisk();
  disk.automatic = true;
  const { parts } = await take(await openOn(disk), 'snap-1', states);
  const path = `${FOLDER}/${partName('snap-1', (parts[1] as (typeof parts)[number]).group)}`;
  const read = (): Promise<unknown> => readPart({ disk, path, digest: sha256, onPiece: () => undefined });
  for (let at = 0; at < disk.contents(path).length; at += 7) {
    disk.corrupt(path, at, 0x20);
    await expect(read()).rejects.toThrow(path);
    disk.corrupt(path, at, 0x20);
  }
  await read();
  for (let at = 0; at < disk.contents(`${FOLDER}/MANIFEST`).length; at++) {
    disk.corrupt(`${FOLDER}/MANIFEST`, at, 0x04);
    await expect(openOn(disk)).rejects.toThrow('MANIFEST');
    disk.corrupt(`${FOLDER}/MANIFEST`, at, 0x04);
  }
});
