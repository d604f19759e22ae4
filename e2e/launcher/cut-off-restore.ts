import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { agentstate, type RunOptions } from './agentstate';
import { Client } from './client';
import { NS, RestorableFolder, SMALL_SEGMENTS } from './restorable-folder';
import type { Scratch } from './scratch';
import { listSnapshots } from './snapshots';

const DYING = path.join(__dirname, 'die-at-operation.mjs');

/** Restores that are killed on their way, and what is there afterwards. */
export class CutOffRestores {
  private constructor(
    private readonly scratch: Scratch,
    private readonly folder: RestorableFolder,
    /** What a whole restore asks of the disk, and how long it takes here. */
    readonly operations: number,
    readonly wholeMs: number,
  ) {}

  static async prepare(scratch: Scratch): Promise<CutOffRestores> {
    const folder = await RestorableFolder.make(scratch);
    const count = path.join(await scratch.folder(), 'count');
    const dataDir = await folder.copy();
    const startMs = performance.now();
    const { code, err } = await restore(folder, dataDir, { before: DYING, environment: { COUNT_TO: count } });
    if (code !== 0) throw new Error(`the restore failed: ${err}`);
    const wholeMs = performance.now() - startMs;
    return new CutOffRestores(scratch, folder, Number(await readFile(count, 'utf8')), wholeMs);
  }

  /** Kills one right before this operation. Gives which state the node then has; rejects with what is wrong. */
  async atOperation(operation: number): Promise<'before' | 'after'> {
    return this.cutOff({ before: DYING, environment: { DIE_AT: String(operation) } }, true);
  }

  /** Kills one after so long, if it is not done by then. */
  async afterMs(killAfterMs: number): Promise<'before' | 'after'> {
    return this.cutOff({ killAfterMs }, false);
  }

  private async cutOff(how: RunOptions, mustDie: boolean): Promise<'before' | 'after'> {
    const dataDir = await this.folder.copy();
    const { code, signal, err } = await restore(this.folder, dataDir, how);
    if (signal !== 'SIGKILL' && (mustDie || code !== 0)) throw new Error(`it ended with ${code}: ${err}`);
    const server = await this.scratch.start({ dataDir, environment: SMALL_SEGMENTS });
    const { snapshotId, positions } = this.folder;
    const { body: objects } = await new Client(server.url, NS).list();
    const found = JSON.stringify(Object.fromEntries(objects.map(({ id, body }) => [id, body])));
    const isAfter = found === JSON.stringify(RestorableFolder.IN_SNAPSHOT);
    if (!isAfter && found !== JSON.stringify(RestorableFolder.AT_LAST)) throw new Error(`found ${found}`);
    const listed = (await listSnapshots(server.url)).map((snapshot) => snapshot.snapshot_id);
    if (listed.join() !== snapshotId) throw new Error(`lists the snapshots ${listed.join()}`);
    const next = await new Client(server.url, NS).put('e', { body: 3 });
    if (!(next.body.commit_seq > positions.last)) throw new Error(`position ${next.body.commit_seq} again`);
    await server.kill();
    const verified = await agentstate(['snapshot', 'verify', '--data-dir', dataDir]);
    if (verified.code !== 0) throw new Error(verified.out);
    await rm(dataDir, { recursive: true });
    return isAfter ? 'after' : 'before';
  }
}

function restore(folder: RestorableFolder, dataDir: string, how: RunOptions): ReturnType<typeof agentstate> {
  return agentstate(['restore', '--data-dir', dataDir, '--snapshot-id', folder.snapshotId, '--yes'], how);
}
