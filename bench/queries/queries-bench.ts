import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { measureHistoryDisk } from './history-disk';
import { measureIndexed } from './indexed';
import { measureWrites } from './writes';

export interface QueriesOptions {
  readonly objects: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly print: (line: string) => void;
}

/** What agents ask of the state beside single puts and gets: each figure beside one of the same run. */
export async function queriesBench(options: QueriesOptions): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agentstate-queries-'));
  try {
    await measureWrites(path.join(folder, 'writes'), options);
    await measureHistoryDisk(path.join(folder, 'history'), options);
    await measureIndexed(path.join(folder, 'indexed'), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
