import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { storeObjects } from '../store-objects';
import { TargetProcess } from '../target-process';
import { type LoadRequest, NAMESPACE } from '../workload';
import type { QueriesOptions } from './queries-bench';

const OBJECTS = 50_000;
const IN_A_BATCH = 100;
const ROUNDS = 12;
/** A batch is one commit of many changes. */
const RETAINED_COMMITS = 2_000;
const SETTLE_POLL_MS = 500;
/** The disk counts as settled when it has not changed for this long. */
const QUIET_POLLS = 10;

const batch = (number: number): LoadRequest => ({
  method: 'POST',
  path: `/v1/${encodeURIComponent(NAMESPACE)}/batch`,
  body: JSON.stringify({
    ops: Array.from({ length: IN_A_BATCH }, (_, at) => {
      const key = (number * IN_A_BATCH + at) % OBJECTS;
      // Text that does not compress: a run of one letter would take no disk at all.
      const text = randomBytes(180).toString('base64');
      return { op: 'put', id: `object-${key}`, type: 'task', tags: { kind: 'bench' }, body: { key, text } };
    }),
  }),
});

/** Objects that are replaced over and over: what their state takes on the disk once history is cut to its retention. */
export async function measureHistoryDisk(dataDir: string, { print }: QueriesOptions): Promise<void> {
  const server = await TargetProcess.server(dataDir, {
    HISTORY_RETENTION_COMMITS: String(RETAINED_COMMITS),
  });
  try {
    const { port } = server;
    await storeObjects(port, (OBJECTS * ROUNDS) / IN_A_BATCH, batch);
    const bytes = await settled(path.join(dataDir, 'groups'));
    const objects = `http://127.0.0.1:${port}/v1/${encodeURIComponent(NAMESPACE)}/objects`;
    const stored = Buffer.byteLength(await (await fetch(`${objects}/object-1`)).text());
    const retained = RETAINED_COMMITS * IN_A_BATCH;
    const content = (OBJECTS + retained) * stored;
    print(
      `${OBJECTS} objects of ${stored} bytes, each replaced ${ROUNDS - 1} times, ${retained} changes retained: ` +
        `${mib(content)} MiB of live data and retained changes, ${mib(bytes)} MiB on disk, ratio ${(bytes / content).toFixed(2)} (goal 2)`,
    );
  } finally {
    await server.end('SIGKILL');
  }
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);

/** Bytes in a folder once compaction has come to rest. */
async function settled(folder: string): Promise<number> {
  let last = -1;
  for (let quiet = 0; quiet < QUIET_POLLS;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
    const now = await bytesIn(folder);
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
  return last;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // A file may go between the listing and the look.
    bytes += await stat(path.join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}
