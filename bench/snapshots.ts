import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadWhile } from './connection-load';
import type { LoadResult } from './load-generator';
import { storeObjects } from './store-objects';
import { memoryMib, TargetProcess } from './target-process';
import { row } from './throughput';
import { CONNECTIONS, forEachKey, putObject } from './workload';

const PROGRAM = path.join(__dirname, '../../bin/agentstate');
const BASELINE_SECONDS = 10;
const SAMPLE_MS = 20;

export interface SnapshotBenchOptions {
  /** In the snapshots. */
  readonly objects: number;
  readonly print: (line: string) => void;
}

/**
 * What a snapshot of many objects costs the node that takes it, what a restore takes, and how fast the log is
 * replayed by one. Puts of half the objects are in the log after the snapshot.
 */
export async function snapshotBench({ objects, print }: SnapshotBenchOptions): Promise<void> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'agentstate-bench-'));
  const server = await TargetProcess.server(dataDir);
  try {
    const startMs = performance.now();
    await storeObjects(server.port, objects);
    print(`${objects} objects stored at ${perSecond(objects, performance.now() - startMs)}/s`);
    await takeQuietly(server, print);
    const snapshotId = await takeUnderLoad(server, print);
    await storeObjects(server.port, Math.ceil(objects / 2));
    await server.end('SIGTERM');
    await restoreBoth({ dataDir, snapshotId }, print);
  } finally {
    await server.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** With nothing else to do: its time, and the memory that it alone takes. */
async function takeQuietly(server: TargetProcess, print: (line: string) => void): Promise<void> {
  const beforeMib = server.residentMib();
  let peakMib = beforeMib;
  const sampling = setInterval(() => (peakMib = Math.max(peakMib, server.residentMib())), SAMPLE_MS);
  const { seconds, bytes } = await take(server);
  clearInterval(sampling);
  print(
    `snapshot, idle            ${seconds.toFixed(1)} s (goal < 60), ${(bytes / 1_000_000).toFixed(0)} MB, ` +
      `memory ${beforeMib.toFixed(0)} MiB + ${(peakMib - beforeMib).toFixed(0)} (goal < +200)`,
  );
}

/** Beside {@link CONNECTIONS} connections that put as fast as they can, before and meanwhile. */
async function takeUnderLoad(server: TargetProcess, print: (line: string) => void): Promise<string> {
  const run = { port: server.port, requests: forEachKey(putObject), connections: CONNECTIONS };
  const endMs = performance.now() + BASELINE_SECONDS * 1000;
  const before = await loadWhile(run, (nowMs) => nowMs < endMs);
  let isTaken = false;
  const load = loadWhile(run, () => !isTaken);
  const taken = await take(server).finally(() => (isTaken = true));
  const meanwhile = await load;
  const p95 = ({ latency }: LoadResult): number => latency.p95;
  print(row('PUT before', [before]));
  print(row('PUT meanwhile', [meanwhile]));
  print(
    `snapshot, under load      ${taken.seconds.toFixed(1)} s (goal < 60), ` +
      `PUT p95 ${(p95(meanwhile) / p95(before)).toFixed(2)} times what it was (goal <= 2)`,
  );
  return taken.snapshotId;
}

async function take(
  server: TargetProcess,
): Promise<{ readonly snapshotId: string; readonly seconds: number; readonly bytes: number }> {
  const startMs = performance.now();
  const response = await fetch(`http://127.0.0.1:${server.port}/admin/snapshot`, { method: 'POST' });
  if (!response.ok) throw new Error(`a snapshot answered ${response.status}: ${await response.text()}`);
  const taken = (await response.json()) as {
    readonly snapshot_id: string;
    readonly groups: readonly { readonly bytes: number }[];
  };
  return {
    snapshotId: taken.snapshot_id,
    seconds: (performance.now() - startMs) / 1000,
    bytes: taken.groups.reduce((sum, group) => sum + group.bytes, 0),
  };
}

/**
 * To the end of the log, then exactly the snapshot: the difference is what the entries took. There are more of them than
 * were stored last: those that were put beside the snapshot, and commands that remove old history.
 */
async function restoreBoth(
  what: { readonly dataDir: string; readonly snapshotId: string },
  print: (line: string) => void,
): Promise<void> {
  const { dataDir, snapshotId } = what;
  const args = ['restore', '--data-dir', dataDir, '--snapshot-id', snapshotId, '--yes'];
  const latest = await runCommand([...args, '--to', 'latest']);
  for (const name of await readdir(dataDir)) {
    if (name.startsWith('before-restore-')) await rm(path.join(dataDir, name), { recursive: true });
  }
  const exact = await runCommand(args);
  const figures = ({ seconds, peakMib }: Ran): string =>
    `${seconds.toFixed(1)} s (goal < 60), memory ${peakMib.toFixed(0)} MiB`;
  print(`restore, exactly          ${figures(exact)}`);
  print(`restore, to the log's end ${figures(latest)}`);
  const entries = [...latest.out.matchAll(/(\d+) entries of the log/g)].reduce(
    (sum, found) => sum + Number(found[1]),
    0,
  );
  const rate = perSecond(entries, (latest.seconds - exact.seconds) * 1000);
  print(`replay of ${entries} entries  ${rate}/s (goal >= 50000)`);
}

interface Ran {
  readonly seconds: number;
  readonly peakMib: number;
  readonly out: string;
}

/** Runs `agentstate` to its end; a failure is an error. */
async function runCommand(args: readonly string[]): Promise<Ran> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  let peakMib = 0;
  const sampling = setInterval(() => (peakMib = Math.max(peakMib, highestMib(child.pid))), SAMPLE_MS);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(sampling);
  if (code !== 0) throw new Error(`agentstate ${args.join(' ')} ended with ${String(code)}`);
  return { seconds: (performance.now() - startMs) / 1000, peakMib, out };
}

function highestMib(processId: number | undefined): number {
  try {
    return memoryMib(processId, 'VmHWM') || 0;
  } catch {
    // It has just ended.
    return 0;
  }
}

const perSecond = (count: number, ms: number): string => ((count * 1000) / ms).toFixed(0);
