import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupId, HardState, LogEntry, LogIndex, Term } from '#contracts';
import { diskError, SimDisk } from '#testkit';
import { openLog } from './index';

const group = (id: number): GroupId => id as GroupId;
const index = (value: number): LogIndex => value as LogIndex;
const hardState = (term: number, vote: number, commit: number): HardState =>
  ({ term, vote, commit }) as unknown as HardState;
const entry = (term: number, at: number, text = `entry ${at} of term ${term}`): LogEntry => ({
  term: term as Term,
  index: at as LogIndex,
  kind: 0,
  data: Buffer.from(text),
});
const fatal = (error: Error): void => {
  throw error;
};
const ignore = (): void => undefined;

/** Goal: the port's promises on a sound disk. Method: calls and answers, over the simulated disk. */
describe('Log', () => {
  const open = (disk: SimDisk, segmentBytes = 4096): ReturnType<typeof openLog> => {
    disk.automatic = true;
    return openLog({ dir: 'wal', disk, segmentBytes, onFatal: fatal, recentBytes: 2048, lowWaterBytes: 0 });
  };
  const durable = (log: Awaited<ReturnType<typeof open>>): Promise<void> =>
    new Promise((resolve) => log.append([], resolve));

  it('gives back what was appended, before and after a restart', async () => {
    const disk = new SimDisk();
    const log = await open(disk);
    const entries = [entry(1, 1), entry(1, 2), entry(2, 3, '')];
    log.append([{ group: group(7), hardState: hardState(2, 5, 1), entries }], ignore);
    expect(log.entries(group(7), index(1), index(4), 1e9)).toEqual(entries);
    await log.close();

    const again = await open(disk);
    expect(again.groups()).toEqual([7]);
    expect(again.state(group(7))).toEqual({
      hardState: hardState(2, 5, 1),
      floorIndex: 0,
      floorTerm: 0,
      lastIndex: 3,
    });
    expect(again.term(group(7), index(3))).toBe(2);
    expect(again.term(group(7), index(0))).toBe(0);
    expect(again.term(group(7), index(4))).toBeUndefined();
    const read = again.entries(group(7), index(1), index(4), 1e9);
    expect(read.map((one) => [one.index, one.term, Buffer.from(one.data).toString()])).toEqual([
      [1, 1, 'entry 1 of term 1'],
      [2, 1, 'entry 2 of term 1'],
      [3, 2, ''],
    ]);
    await again.close();
  });

  it('replaces a suffix and resets to a snapshot', async () => {
    const disk = new SimDisk();
    const log = await open(disk);
    log.append([{ group: group(1), entries: [entry(1, 1), entry(1, 2), entry(1, 3)] }], ignore);
    log.append([{ group: group(1), entries: [entry(2, 2)] }], ignore);
    expect(log.state(group(1))?.lastIndex).toBe(2);
    expect(log.term(group(1), index(2))).toBe(2);
    log.append(
      [{ group: group(2), reset: { index: index(90), term: 4 as Term }, entries: [entry(5, 91)] }],
      ignore,
    );
    await durable(log);
    await log.close();
    const again = await open(disk);
    expect(again.state(group(1))?.lastIndex).toBe(2);
    expect(again.term(group(1), index(2))).toBe(2);
    expect(again.state(group(2))).toMatchObject({ floorIndex: 90, floorTerm: 4, lastIndex: 91 });
    expect(() => again.entries(group(2), index(90), index(91), 1)).toThrow('compacted');
    await again.close();
  });

  it('bounds an answer by bytes, but gives at least one entry', async () => {
    const log = await open(new SimDisk());
    const entries = [1, 2, 3].map((at) => entry(1, at, 'x'.repeat(100)));
    log.append([{ group: group(1), entries }], ignore);
    expect(log.entries(group(1), index(1), index(4), 200)).toHaveLength(2);
    expect(log.entries(group(1), index(1), index(4), 0)).toHaveLength(1);
    expect(log.entries(group(1), index(2), index(2), 0)).toHaveLength(0);
    await log.close();
  });

  it('runs callbacks in order, one sync for what gathered meanwhile', async () => {
    const disk = new SimDisk();
    const log = await open(disk);
    await durable(log);
    disk.runAll();
    disk.automatic = false;
    const before = disk.history.length;
    const order: number[] = [];
    for (let at = 1; at <= 10; at++) {
      log.append([{ group: group(1), entries: [entry(1, at)] }], () => order.push(at));
    }
    disk.runAll();
    expect(order).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const kinds = disk.history.slice(before).map((operation) => operation.kind);
    expect(kinds.filter((kind) => kind === 'sync').length).toBeLessThanOrEqual(4);
    const onSegment = disk.history.slice(before).filter(({ path }) => path.endsWith('.wal'));
    expect(onSegment.map(({ kind }) => kind)).toEqual(['write', 'sync', 'write', 'sync']);
    disk.automatic = true;
    await log.close();
  });

  it('removes segments that nobody needs and carries a quiet group along', async () => {
    const disk = new SimDisk();
    const log = await open(disk);
    const quiet = [{ group: group(9), hardState: hardState(3, 1, 0), entries: [entry(3, 1), entry(3, 2)] }];
    log.append(quiet, ignore);
    for (let at = 1; at <= 400; at++) {
      log.append([{ group: group(1), entries: [entry(1, at)] }], ignore);
      if (at % 20 === 0) {
        await durable(log);
        log.compact(group(1), index(at - 5));
      }
    }
    await log.close();
    expect(log.stats().activeSegments).toBeLessThanOrEqual(3);
    const again = await open(disk);
    expect(again.state(group(1))).toMatchObject({ floorIndex: 395, floorTerm: 1, lastIndex: 400 });
    expect(again.state(group(9))).toMatchObject({ hardState: hardState(3, 1, 0), lastIndex: 2 });
    expect(again.entries(group(9), index(1), index(3), 1e9).map((one) => one.term)).toEqual([3, 3]);
    await again.close();
  });

  it('ends through onFatal once and acknowledges nothing after a failed sync', async () => {
    const disk = new SimDisk();
    const errors: Error[] = [];
    disk.automatic = true;
    const log = await openLog({
      dir: 'wal',
      disk,
      segmentBytes: 4096,
      onFatal: (error) => errors.push(error),
    });
    await durable(log);
    disk.inject = ({ kind }) => (kind === 'sync' ? diskError('EIO') : undefined);
    let acknowledged = 0;
    log.append([{ group: group(1), entries: [entry(1, 1)] }], () => acknowledged++);
    log.append([{ group: group(1), entries: [entry(1, 2)] }], () => acknowledged++);
    await expect(log.close()).rejects.toThrow('EIO');
    expect(errors).toHaveLength(1);
    expect(acknowledged).toBe(0);
  });
});

/** Goal: the adapter of the real file system does what the simulated one does. */
describe('Log on this machine', () => {
  it('recovers from real files', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'agentstate-wal-'));
    try {
      const options = { dir: join(dir, 'wal'), segmentBytes: 65536, onFatal: fatal };
      const log = await openLog(options);
      for (let at = 1; at <= 300; at++) {
        log.append([{ group: group(1), entries: [entry(1, at, 'x'.repeat(at * 60))] }], ignore);
      }
      await log.close();
      expect(readdirSync(options.dir).length).toBeGreaterThan(10);
      const again = await openLog(options);
      const lengths: number[] = [];
      for (let at = 1; at <= 300;) {
        for (const one of again.entries(group(1), index(at), index(301), 1e5)) {
          lengths.push(one.data.byteLength);
          at++;
        }
      }
      expect(lengths).toEqual(Array.from({ length: 300 }, (_, position) => (position + 1) * 60));
      await again.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
