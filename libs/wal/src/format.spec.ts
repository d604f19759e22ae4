import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GroupId, HardState, LogEntry, LogIndex, Term } from '#contracts';
import { logStateText, SimDisk } from '#testkit';
import { FORMAT_VERSION, LogFormatUnsupported, openLog, verifyLog } from './index';
import { checksum } from './record';

const FIXTURES = join(__dirname, '..', 'fixtures', `v${FORMAT_VERSION}`);
const STATE_FILE = 'state.txt';

const entry = (term: number, at: number, bytes: number, kind: 0 | 1 = 0): LogEntry => ({
  term: term as Term,
  index: at as LogIndex,
  kind,
  data: Buffer.alloc(bytes, `entry ${at} of term ${term}. `),
});

/** Calls that leave every kind of record in the log. The fixtures are what version 1 made of them. */
async function writeSample(disk: SimDisk): Promise<string> {
  disk.automatic = true;
  const log = await openLog({
    dir: 'wal',
    disk,
    segmentBytes: 1024,
    lowWaterBytes: 0,
    onFatal: (error) => {
      throw error;
    },
  });
  const [one, two, three] = [1, 2, 4294967295] as GroupId[] as [GroupId, GroupId, GroupId];
  const hardState = { term: 3, vote: 2 ** 40 + 1, commit: 2 } as unknown as HardState;
  const durable = (): Promise<void> => new Promise((resolve) => log.append([], resolve));
  log.append(
    [{ group: three, hardState, entries: [entry(3, 1, 20), entry(3, 2, 0), entry(3, 3, 13, 1)] }],
    Boolean,
  );
  log.append([{ group: two, entries: [entry(1, 1, 100)] }], Boolean);
  await durable();
  for (let at = 1; at <= 8; at++) log.append([{ group: one, entries: [entry(2 ** 33, at, 200)] }], Boolean);
  log.append([{ group: one, entries: [entry(2 ** 33 + 1, 7, 9000)] }], Boolean);
  await durable();
  log.forget(two);
  log.append(
    [{ group: two, reset: { index: (2 ** 50) as LogIndex, term: 5 as Term }, entries: [] }],
    Boolean,
  );
  log.compact(one, 6 as LogIndex);
  await durable();
  const text = logStateText(log);
  await log.close();
  return text;
}

/** Goal: the bytes on disk stay readable and are what FORMAT.md says. Method: files kept from version 1. */
describe('format', () => {
  it('reads what version 1 wrote', async () => {
    const disk = new SimDisk();
    disk.automatic = true;
    for (const name of readdirSync(FIXTURES).filter((one) => one.endsWith('.wal'))) {
      disk.place(`wal/${name}`, readFileSync(join(FIXTURES, name)));
    }
    expect(verifyLog('wal', disk).damage).toBeUndefined();
    const log = await openLog({
      dir: 'wal',
      disk,
      segmentBytes: 1024,
      onFatal: (error) => expect(error).toBeNull(),
    });
    expect(logStateText(log)).toBe(readFileSync(join(FIXTURES, STATE_FILE), 'latin1'));
    await log.close();
  });

  it('still writes the same bytes', async () => {
    const disk = new SimDisk();
    const text = await writeSample(disk);
    const names = disk.list('wal').filter((name) => name.endsWith('.wal'));
    // A new version makes its own fixtures once; those of older versions are never written again.
    if (!existsSync(FIXTURES)) {
      mkdirSync(FIXTURES, { recursive: true });
      for (const name of names) writeFileSync(join(FIXTURES, name), disk.contents(`wal/${name}`));
      writeFileSync(join(FIXTURES, STATE_FILE), text, 'latin1');
      throw new Error(
        `fixtures of version ${FORMAT_VERSION} were missing and have been written: look at them, commit`,
      );
    }
    expect(names.sort()).toEqual(readdirSync(FIXTURES).filter((one) => one.endsWith('.wal')));
    for (const name of names) {
      const bytes = Buffer.from(disk.contents(`wal/${name}`)).toString('hex');
      expect(bytes).toBe(readFileSync(join(FIXTURES, name)).toString('hex'));
    }
  });

  it('refuses a newer version by its number and touches nothing', async () => {
    const disk = new SimDisk();
    await writeSample(disk);
    const name = disk
      .list('wal')
      .filter((one) => one.endsWith('.wal'))
      .sort()[0] as string;
    const bytes = disk.contents(`wal/${name}`);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 9, true);
    view.setUint32(12, checksum(bytes.subarray(0, 12)), true);
    disk.place(`wal/${name}`, bytes);
    const opening = openLog({ dir: 'wal', disk, segmentBytes: 1024, onFatal: () => undefined });
    await expect(opening).rejects.toThrow(LogFormatUnsupported);
    await expect(opening).rejects.toThrow('version 9; this program reads versions up to 1');
    expect(verifyLog('wal', disk).damage).toEqual({ kind: 'unsupportedVersion', segment: name, version: 9 });
    expect(disk.contents(`wal/${name}`)).toEqual(bytes);
  });
});
