import { cp, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { Client } from './client';
import type { Scratch } from './scratch';
import { takeSnapshot } from './snapshots';

export const NS = 'agent://demo';
/** So that a folder is small enough to be copied for every case of a test. */
export const SMALL_SEGMENTS = { WAL_SEGMENT_BYTES: '65536' } as const;

/** The data folder of a node that was stopped in order, with a snapshot and more in the log behind it. */
export class RestorableFolder {
  private copies = 0;

  private constructor(
    readonly dataDir: string,
    private readonly folder: string,
    readonly snapshotId: string,
    /** Position of the snapshot, and of the newest change. */
    readonly positions: { readonly snapshot: number; readonly last: number },
  ) {}

  /** Bodies by id, as of the snapshot and as of the stop. */
  static readonly IN_SNAPSHOT = { a: 1, b: 1, c: 1 } as const;
  static readonly AT_LAST = { a: 2, c: 1, d: 2 } as const;

  static async make(scratch: Scratch): Promise<RestorableFolder> {
    const folder = await scratch.folder();
    const dataDir = path.join(folder, 'original');
    const server = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
    const client = new Client(server.url, NS);
    for (const id of ['a', 'b', 'c']) await client.put(id, { body: 1 });
    const { snapshot_id: snapshotId, commit_seq: snapshot } = await takeSnapshot(server.url);
    for (const id of ['a', 'd']) await client.put(id, { body: 2 });
    await client.remove('b');
    await server.stop();
    return new RestorableFolder(dataDir, folder, snapshotId, { snapshot, last: snapshot + 3 });
  }

  /** Another folder with the same in it. */
  async copy(): Promise<string> {
    const copy = await mkdtemp(path.join(this.folder, `copy-${++this.copies}-`));
    await cp(this.dataDir, copy, { recursive: true });
    return copy;
  }
}
