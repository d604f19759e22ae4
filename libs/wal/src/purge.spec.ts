import type { GroupId, LogEntry, LogIndex, Term } from '#contracts';
import { seededRandom, SimDisk } from '#testkit';
import { type Log, openLog } from './index';

const KEPT = 1 as GroupId;
const CUT = 2 as GroupId;
const GONE = 3 as GroupId;
const MARK = 'not to be found';
const ENTRIES = 40;

const entry = (index: number, text: string): LogEntry => ({
  term: 1 as Term,
  index: index as LogIndex,
  kind: 0,
  data: Buffer.from(`${text} ${index} ${'x'.repeat(60)}`),
});

const open = (disk: SimDisk): Promise<Log> =>
  openLog({
    dir: 'wal',
    disk,
    segmentBytes: 2_048,
    recentBytes: 500,
    lowWaterBytes: 0,
    onFatal: (error) => {
      throw error;
    },
  });

const durable = (log: Log): Promise<void> => new Promise((resolve) => log.append([], resolve));

/** Entries of three groups in turns, in many segments; then one is cut off after its marked entries, one forgotten. */
async function filled(disk: SimDisk): Promise<Log> {
  const log = await open(disk);
  for (let index = 1; index <= ENTRIES; index++) {
    const marked = index <= ENTRIES / 2 ? MARK : 'kept';
    log.append(
      [
        { group: KEPT, entries: [entry(index, 'kept')] },
        { group: CUT, entries: [entry(index, marked)] },
        { group: GONE, entries: [entry(index, MARK)] },
      ],
      () => undefined,
    );
    await durable(log);
  }
  log.compact(CUT, (ENTRIES / 2) as LogIndex);
  log.forget(GONE);
  await durable(log);
  return log;
}

const filesWithMark = (disk: SimDisk): readonly string[] =>
  disk.files().filter((path) => Buffer.from(disk.contents(path)).includes(MARK));

function expectKept(log: Log): void {
  const texts = (group: GroupId, from: number): string[] => {
    const entries: string[] = [];
    for (let index = from; index <= ENTRIES; index++) {
      const [one] = log.entries(group, index as LogIndex, (index + 1) as LogIndex, 1e9);
      entries.push(Buffer.from(one?.data ?? '').toString());
    }
    return entries;
  };
  const kept = Array.from({ length: ENTRIES }, (_, at) => Buffer.from(entry(at + 1, 'kept').data).toString());
  expect(texts(KEPT, 1)).toEqual(kept);
  expect(texts(CUT, ENTRIES / 2 + 1)).toEqual(kept.slice(ENTRIES / 2));
  expect(log.state(CUT)?.floorIndex).toBe(ENTRIES / 2);
  expect(log.state(GONE)).toBeUndefined();
}

/** Goal: what is not needed any more is in no file, and what is needed is. Method: marked bytes, on a simulated disk. */
describe('purging', () => {
  it('rids the disk of what was cut off and forgotten, and of what a crash has torn', async () => {
    const disk = new SimDisk();
    disk.automatic = true;
    let log = await filled(disk);
    await log.close();
    disk.place('wal/torn/0000000000000001.wal-1', Buffer.from(MARK));
    log = await open(disk);
    expect([log.holdsForgotten, log.holdsAside]).toEqual([true, true]);
    expect(filesWithMark(disk).length).toBeGreaterThan(2);
    expect(await log.purge()).toBe(true);
    expect(filesWithMark(disk)).toEqual([]);
    expect([log.holdsForgotten, log.holdsAside]).toEqual([false, false]);
    expectKept(log);
    await log.close();
    log = await open(disk);
    expect(log.holdsForgotten).toBe(false);
    expectKept(log);
    await log.close();
  });

  it('loses nothing when the machine ends after any of its steps, and is done by the next one', async () => {
    const random = seededRandom(7);
    for (let steps = 0; ; steps += 3) {
      const disk = new SimDisk();
      disk.automatic = true;
      let log = await filled(disk);
      disk.automatic = false;
      let isDone = false;
      void log.purge().then(() => (isDone = true));
      for (let at = 0; at < steps && !isDone; at++) {
        if (disk.nextOperation !== undefined) disk.runNext();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const wasDone = isDone;
      disk.crash(random);
      disk.automatic = true;
      log = await open(disk);
      expectKept(log);
      if (wasDone) expect(log.holdsForgotten).toBe(false);
      if (log.holdsForgotten || log.holdsAside) expect(await log.purge()).toBe(true);
      expect(filesWithMark(disk)).toEqual([]);
      await log.close();
      if (wasDone) break;
      expect(steps).toBeLessThan(1_000);
    }
  });
});
