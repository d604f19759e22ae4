/**
 * Synced appends a second on this disk: `node dist/libs/wal/bench/append-entries.js [seconds] [folder]`.
 * Entries of 400 bytes; each round keeps so many appends in flight, as so many waiting clients would. The last
 * rounds put the same entries in one call, and recover the log that came of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupId, LogEntry, LogIndex, Term } from '#contracts';
import { type Log, openLog } from '../src/index';

const roundMs = Number(process.argv[2] ?? 3) * 1000;
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'append-entries-'));
const GROUP = 1 as GroupId;
const data = Buffer.alloc(400, 'x');
let lastIndex = 0;
let syncs: number[] = [];

const nextEntry = (): LogEntry => ({ term: 1 as Term, index: ++lastIndex as LogIndex, kind: 0, data });

const open = (): Promise<Log> =>
  openLog({
    dir: folder,
    onFatal: (error) => {
      throw error;
    },
    observer: { synced: (syncSeconds) => syncs.push(syncSeconds * 1000) },
  });

/** Appends `perCall` entries a call with `inFlight` calls unanswered, until the time is up. */
function round(log: Log, inFlight: number, perCall: number): Promise<void> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const waits: number[] = [];
  syncs = [];
  let answered = 0;
  let unanswered = inFlight;
  return new Promise((resolve) => {
    const append = (): void => {
      const sentMs = performance.now();
      const entries = Array.from({ length: perCall }, nextEntry);
      log.append([{ group: GROUP, entries }], () => {
        const nowMs = performance.now();
        waits.push(nowMs - sentMs);
        answered += perCall;
        if (nowMs - startMs < roundMs) return append();
        if (--unanswered > 0) return;
        report(inFlight, perCall, answered, nowMs - startMs, waits, process.cpuUsage(startCpu));
        log.compact(GROUP, lastIndex as LogIndex);
        log.append([], resolve);
      });
    };
    for (let call = 0; call < inFlight; call++) append();
  });
}

function report(
  inFlight: number,
  perCall: number,
  entries: number,
  elapsedMs: number,
  waits: number[],
  cpu: NodeJS.CpuUsage,
): void {
  const at = (values: number[], share: number): string =>
    (values.sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0).toFixed(2);
  const perSecond = Math.round((entries / elapsedMs) * 1000);
  const cpuMicros = ((cpu.user + cpu.system) / entries).toFixed(1);
  console.log(
    `${inFlight} in flight x ${perCall}: ${perSecond} entries/s, append p50 ${at(waits, 0.5)} ms p99 ${at(waits, 0.99)} ms, ` +
      `sync p50 ${at(syncs, 0.5)} ms p99 ${at(syncs, 0.99)} ms, ${syncs.length} syncs, ${cpuMicros} µs CPU an entry`,
  );
}

async function main(): Promise<void> {
  const log = await open();
  for (const inFlight of [1, 16, 64]) await round(log, inFlight, 1);
  for (const perCall of [16, 64]) await round(log, 1, perCall);
  const entries = Array.from({ length: 200_000 }, nextEntry);
  await new Promise<void>((resolve) => log.append([{ group: GROUP, entries }], resolve));
  const { activeSegments, bytes } = log.stats();
  await log.close();
  const startMs = performance.now();
  const again = await open();
  const openMs = Math.round(performance.now() - startMs);
  console.log(`opened ${activeSegments} segments, ${Math.round(bytes / 1e6)} MB in ${openMs} ms`);
  await again.close();
}

main().then(
  () => rmSync(folder, { recursive: true }),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
