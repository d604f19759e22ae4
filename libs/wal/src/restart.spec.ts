import { LogModel, logStateText, randomLogCall, seededRandom, SimDisk } from '#testkit';
import { type Log, openLog, verifyLog } from './index';

const SEEDS = 20;
const CALLS = 300;

/**
 * Goal: the log is always what its calls made it. Method: random calls against the model, with clean restarts
 * and kills mixed in, little memory (so that most reads go to the disk), segments so short that they are
 * rotated, emptied and removed all the time, and some entries longer than a segment or than what is copied.
 */
describe('random calls and restarts', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))('seed %i', async (seed) => {
    const random = seededRandom(seed);
    const disk = new SimDisk();
    disk.automatic = true;
    const model = new LogModel();
    const segmentBytes = [512, 2048, 16384][random(3)] as number;
    const open = (): Promise<Log> =>
      openLog({
        dir: 'wal',
        disk,
        segmentBytes,
        recentBytes: 1000,
        lowWaterBytes: 0,
        onFatal: (error) => {
          throw error;
        },
      });
    let log = await open();
    for (let calls = 0; calls < CALLS; calls++) {
      const call = randomLogCall(model, random, 12_000);
      model.apply(call);
      if (call.kind === 'append') log.append(call.writes, () => undefined);
      else if (call.kind === 'compact') log.compact(call.group, call.index);
      else log.forget(call.group);
      if (random(4) === 0) await new Promise<void>((resolve) => log.append([], resolve));
      if (random(10) === 0) expect(logStateText(log)).toBe(model.states.at(-1));
      if (random(20) > 0) continue;
      if (random(2) === 0) await log.close();
      else {
        await new Promise<void>((resolve) => log.append([], resolve));
        disk.end();
      }
      log = await open();
      expect(logStateText(log)).toBe(model.states.at(-1));
    }
    expect(disk.history.filter(({ kind }) => kind === 'remove').length).toBeGreaterThan(0);
    await log.close();
    const report = verifyLog('wal', disk);
    expect(report.damage).toBeUndefined();
    expect(report.groups).toHaveLength(log.groups().length);
  });
});
