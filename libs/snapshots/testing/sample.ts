import { deflateRawSync } from 'node:zlib';
import { memberId, type GroupId, type NodeName } from '#contracts';
import type { SnapshotRecord, StateStore } from '#replication';
import { StatePieces, readApplied } from '#state-machine';
import { type SimDisk, MemoryStateStore, sha256 } from '#testkit';
import { type Archive, DEFLATE_OPTIONS, openArchive, type SnapshotDisk } from '../src';

export const FOLDER = 'data/snapshots';

/** In this thread, so that a simulated disk is all that anybody waits for. */
export const openOn = (disk: SnapshotDisk): Promise<Archive> =>
  openArchive({
    dir: FOLDER,
    disk,
    compression: { deflate: (bytes) => Promise.resolve(deflateRawSync(bytes, DEFLATE_OPTIONS)) },
  });

/** The disk as one life of a process reaches it: what a dead one asks for is never answered. */
export function diskOf(disk: SimDisk, life: { alive: boolean }): SnapshotDisk {
  const alive = <Args extends unknown[], Value>(act: (...args: Args) => Value) => {
    return (...args: Args): Value => {
      if (!life.alive) throw new Error('the process is dead');
      return act(...args);
    };
  };
  return {
    createFolder: (path, done) => life.alive && disk.createFolder(path, done),
    list: alive((folder: string) => disk.list(folder)),
    open: alive((path: string, access: 'read' | 'write') => disk.open(path, access)),
    create: alive((path: string) => disk.create(path)),
    rename: (from, to, done) => life.alive && disk.rename(from, to, done),
    remove: (path, done) => life.alive && disk.remove(path, done),
    syncFolder: (path, done) => life.alive && disk.syncFolder(path, done),
  };
}

/** A state with rows that take several pieces. */
export function sampleState(rows: number): MemoryStateStore {
  const store = new MemoryStateStore();
  for (let row = 0; row < rows; row++) {
    const key = Uint8Array.of(0x10, row >>> 8, row);
    store.write({ puts: [[key, new Uint8Array(1_000).fill(row)]], deletes: [] });
  }
  return store;
}

/** Takes a snapshot of these states, group 0 first, and publishes it. */
export async function take(
  archive: Archive,
  snapshotId: string,
  states: readonly StateStore[],
): Promise<SnapshotRecord> {
  const parts: SnapshotRecord['parts'][number][] = [];
  for (const [at, state] of states.entries()) {
    const group = at as GroupId;
    const pieces = new StatePieces(state, sha256);
    const writer = archive.begin(snapshotId, group);
    let rows = 0;
    for (let isLast = false; !isLast;) {
      const piece = pieces.next();
      await writer.write(piece);
      rows += piece.rows;
      isLast = piece.isLast;
    }
    const { appliedIndex: index, appliedTerm: term, commitSeq } = readApplied(state);
    parts.push(await writer.finish({ group, index, term, commitSeq, rows, digest: pieces.digest }));
  }
  const record = sampleRecord(snapshotId, parts);
  await archive.publish(record);
  return record;
}

export function sampleRecord(snapshotId: string, parts: SnapshotRecord['parts']): SnapshotRecord {
  return {
    snapshotId,
    createdMs: Number(/\d+$/.exec(snapshotId)?.[0] ?? 0),
    clusterId: 'c0ffee',
    node: { member: memberId(1), name: 'node-1' as NodeName, region: 'local' },
    parts,
  };
}
