/**
 * Applied puts a second over real RocksDB: `node dist/bench/apply-puts.js [objects] [batch] [folder]`.
 * Each command puts one object of about 300 bytes with two tags; the second round replaces what the first made.
 */
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeCommand } from '#codec';
import type { GroupId, LogIndex, Term } from '#contracts';
import { ApplyBatch, evaluateRead, readApplied } from '#state-machine';
import { RocksStateStores } from '#storage';

const objects = Number(process.argv[2] ?? 200_000);
const batchSize = Number(process.argv[3] ?? 50);
const folder = process.argv[4] ?? mkdtempSync(join(tmpdir(), 'apply-puts-'));
const digest = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
const bodyJson = JSON.stringify({ status: 'running', progress: 0.5, note: 'x'.repeat(230) });

function command(number: number): Uint8Array {
  const tags = { priority: number % 3 === 0 ? 'high' : 'low', worker: `w-${number % 100}` };
  const put = { op: 'put', id: `task-${number}`, type: 'task', bodyJson, tags, parents: [] } as const;
  return encodeCommand({ kind: 'write', ns: 'agent://bench', operations: [put] }, 1_700_000_000_000 + number);
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const store = await new RocksStateStores({ folder }).open(1 as GroupId);
  let index = readApplied(store).appliedIndex as number;
  // On a machine that is shared, time of the processor says more than time on the clock.
  let cpu = process.cpuUsage();
  const report = (what: string, count: number, startMs: number): void => {
    const seconds = (performance.now() - startMs) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const memory = Math.round(process.memoryUsage().rss / 1e6);
    const rate = `${Math.round(count / seconds)} a second`;
    console.log(
      `${what}: ${rate}, ${((user + system) / count).toFixed(1)} µs of CPU each, ${memory} MB resident`,
    );
    cpu = process.cpuUsage();
  };
  for (const round of ['new objects', 'replaced objects']) {
    const startMs = performance.now();
    let [encodeMs, applyMs, writeMs] = [0, 0, 0];
    for (let done = 0; done < objects; done += batchSize) {
      const t0 = performance.now();
      const commands = Array.from({ length: batchSize }, (_, offset) => command(done + offset));
      const t1 = performance.now();
      const batch = new ApplyBatch(store, digest);
      for (const bytes of commands) batch.apply(++index as LogIndex, 1 as Term, bytes);
      const writes = batch.finish();
      const t2 = performance.now();
      store.write(writes);
      encodeMs += t1 - t0;
      applyMs += t2 - t1;
      writeMs += performance.now() - t2;
    }
    report(round, objects, startMs);
    const micros = (ms: number): string => ((ms * 1000) / objects).toFixed(1);
    console.log(
      `  per put, µs: encode ${micros(encodeMs)}, apply ${micros(applyMs)}, write ${micros(writeMs)}`,
    );
  }
  let startMs = performance.now();
  await store.flush();
  console.log(`flush: ${(performance.now() - startMs).toFixed(1)} ms`);
  startMs = performance.now();
  const gets = Math.min(objects, 100_000);
  for (let count = 0; count < gets; count++) {
    const id = `task-${(count * 7919) % objects}`;
    const outcome = evaluateRead(store, { kind: 'get', ns: 'agent://bench', id }, Date.now());
    if (outcome.kind !== 'object') throw new Error(`${id} is ${outcome.kind}`);
  }
  report('gets', gets, startMs);
  console.log(`bytes on disk: ${Math.round(store.bytes() / 1e6)} MB`);
  await store.close();
  if (!process.argv[4]) rmSync(folder, { recursive: true });
}

void main();
