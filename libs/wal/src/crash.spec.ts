import { LogModel, type LogCall, logStateText, randomLogCall, seededRandom, SimDisk } from '#testkit';
import { type Log, openLog } from './index';

const SEGMENT_BYTES = 1024;
const CALLS = 32;
const WORKLOADS = 3;
const FATES = 3;

const openOn = (disk: SimDisk): Promise<Log> =>
  openLog({
    dir: 'wal',
    disk,
    segmentBytes: SEGMENT_BYTES,
    recentBytes: 600,
    lowWaterBytes: 0,
    onFatal: (error) => {
      throw error;
    },
  });

/** Lets at most `operations` operations of the disk take place while the log opens; gives the log if it did. */
async function openSteps(disk: SimDisk, operations: number): Promise<Log | undefined> {
  disk.automatic = false;
  let outcome: { log?: Log; error?: Error } | undefined;
  openOn(disk).then(
    (log) => (outcome = { log }),
    (error: Error) => (outcome = { error }),
  );
  for (let ran = 0; ran <= operations && outcome === undefined;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (disk.pendingOperations > 0) {
      if (ran === operations) break;
      disk.runNext();
      ran++;
    }
  }
  if (outcome?.error !== undefined) throw outcome.error;
  return outcome?.log;
}

async function openWhole(disk: SimDisk): Promise<Log> {
  const log = await openSteps(disk, Number.MAX_SAFE_INTEGER);
  if (log === undefined) throw new Error('the log did not open');
  return log;
}

interface Run {
  readonly model: LogModel;
  /** How many of the model's states had been passed when the newest acknowledged call was made. */
  readonly acknowledged: () => number;
  readonly operations: number;
}

/** Makes the workload's calls until the disk has seen `operations` operations. */
async function runWorkload(disk: SimDisk, seed: number, operations: number): Promise<Run> {
  const random = seededRandom(seed);
  const model = new LogModel();
  let acknowledged = 0;
  const log = await openSteps(disk, operations);
  const stopped = (): boolean => disk.history.length >= operations;
  for (let call = 0; log !== undefined && call < CALLS && !stopped(); call++) {
    const next: LogCall = randomLogCall(model, random, 1500);
    model.apply(next);
    const reached = model.states.length - 1;
    if (next.kind === 'append') log.append(next.writes, () => (acknowledged = reached));
    else if (next.kind === 'compact') log.compact(next.group, next.index);
    else log.forget(next.group);
    // Sometimes the disk keeps up, sometimes calls pile up behind it.
    for (let steps = random(2) === 0 ? random(12) : 0; steps > 0 && !stopped(); steps--) disk.runNext();
  }
  while (!stopped() && disk.runNext());
  return { model, acknowledged: () => acknowledged, operations: disk.history.length };
}

function checkRecovered(log: Log, run: Run, what: string): Log {
  const text = logStateText(log);
  const oldest = run.acknowledged();
  if (!run.model.states.slice(oldest).includes(text)) {
    const found = run.model.states.lastIndexOf(text);
    throw new Error(
      `${what}: recovered state ${found} of ${run.model.states.length - 1}, acknowledged ${oldest}\n${text}`,
    );
  }
  return log;
}

/**
 * Goal: no crash loses what was acknowledged, or leaves a state that never was. Method: a run is cut off after
 * each of its disk operations, by a kill or by a crash that loses, keeps or tears the unsynced rest; recovery is
 * itself cut off once; what is then recovered is looked up in the model's history, must survive another crash,
 * and the log is used further.
 */
describe('crash after every disk operation', () => {
  for (let seed = 1; seed <= WORKLOADS; seed++) {
    it(`workload ${seed}`, async () => {
      const whole = await runWorkload(new SimDisk(), seed, Number.MAX_SAFE_INTEGER);
      expect(whole.acknowledged()).toBeGreaterThan(20);
      for (let operations = 0; operations <= whole.operations; operations++) {
        for (let fate = 0; fate < FATES; fate++) {
          const what = `seed ${seed}, after operation ${operations}, fate ${fate}`;
          const random = seededRandom(seed * 1e6 + operations * 10 + fate);
          const disk = new SimDisk();
          const run = await runWorkload(disk, seed, operations);
          // A killed process leaves its unsynced writes in the page cache, for the next one to see and rely on.
          if (fate === 0) disk.end();
          else disk.crash(random);
          try {
            await openSteps(disk, random(12));
            if (fate !== 0) disk.crash(random);
            else disk.end();
            const recovered = logStateText(checkRecovered(await openWhole(disk), run, what));
            disk.crash(random);
            const log = await openWhole(disk);
            if (logStateText(log) !== recovered) throw new Error('what recovery had shown was lost again');
            await goOn(log, disk, what);
          } catch (cause) {
            throw new Error(what, { cause });
          }
        }
      }
    }, 60_000);
  }
});

/** The log that was recovered takes another entry, and keeps it over a clean restart. */
async function goOn(log: Log, disk: SimDisk, what: string): Promise<void> {
  const random = seededRandom(1);
  let call = randomLogCall(new LogModel(), random, 100);
  while (call.kind !== 'append') call = randomLogCall(new LogModel(), random, 100);
  const fresh = call.writes.map((write) => ({ ...write, group: (write.group + 10) as typeof write.group }));
  disk.automatic = true;
  disk.runAll();
  log.append(fresh, () => undefined);
  const before = logStateText(log);
  await log.close();
  const again = await openWhole(disk);
  if (logStateText(again) !== before) throw new Error(`${what}: a clean restart changed the state`);
}
