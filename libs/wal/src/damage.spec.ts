import type { GroupId, HardState, LogEntry } from '#contracts';
import { LogModel, logStateText, randomLogCall, seededRandom, SimDisk } from '#testkit';
import { LogCorruption, verifyLog } from './index';
import { openOn } from '../testing/open-on';

const SEGMENT_BYTES = 1024;

interface Written {
  readonly disk: SimDisk;
  readonly model: LogModel;
  /** Number of model states before the last batch was made. */
  readonly statesBeforeLast: number;
  readonly names: readonly string[];
}

/** A log of several segments, in which every call was synced before the next was made. */
async function written(seed: number, options: { readonly closed: boolean }): Promise<Written> {
  const disk = new SimDisk();
  const log = await openOn(disk, SEGMENT_BYTES);
  const random = seededRandom(seed);
  const model = new LogModel();
  let statesBeforeLast = 0;
  for (let calls = 0; calls < 14; calls++) {
    const call = randomLogCall(model, random, 500);
    if (call.kind !== 'append') continue;
    statesBeforeLast = model.states.length - 1;
    model.apply(call);
    await new Promise<void>((resolve) => log.append(call.writes, resolve));
  }
  if (options.closed) await log.close();
  const names = disk
    .list('wal')
    .filter((name) => name.endsWith('.wal'))
    .sort();
  expect(names.length).toBeGreaterThan(1);
  return { disk: disk.copy(), model, statesBeforeLast, names };
}

/** Where the records end, the zeros that fill up the last one to eight bytes included. */
const usedEnd = (bytes: Uint8Array): number => (bytes.findLastIndex((byte) => byte !== 0) + 8) & ~7;

async function recover(disk: SimDisk): Promise<string | LogCorruption> {
  try {
    return logStateText(await openOn(disk, SEGMENT_BYTES));
  } catch (error) {
    if (error instanceof LogCorruption) return error;
    throw error;
  }
}

/** Goal: whatever was damaged, the log never gives wrong data. Method: damage of each place of a small log. */
describe('damage', () => {
  it('cut at every byte of the last segment: a prefix, never less than what is there whole', async () => {
    for (const seed of [1, 2, 3]) {
      const { disk, model, names } = await written(seed, { closed: false });
      const path = `wal/${names.at(-1)}`;
      const bytes = disk.contents(path);
      const end = usedEnd(bytes);
      for (const rest of ['nothing', 'zeros', 'garbage']) {
        let newest = 0;
        for (let length = 0; length <= end; length++) {
          const cut = disk.copy();
          const left = rest === 'nothing' ? bytes.slice(0, length) : bytes.slice();
          left.fill(rest === 'garbage' ? 0xa5 : 0, length);
          cut.place(path, left);
          const text = await recover(cut);
          // Cut at the start, a file says no more than that all before it had been written.
          const state = model.states.lastIndexOf(String(text));
          if (state < newest)
            throw new Error(`seed ${seed}, ${rest} from byte ${length}: state ${state}: ${text}`);
          newest = state;
        }
        expect(newest).toBe(model.states.length - 1);
      }
    }
  }, 30_000);

  it('any byte of a log that was closed: reported, or nothing is missing', async () => {
    for (const seed of [4, 5]) {
      const { disk, model, names } = await written(seed, { closed: true });
      for (const name of names) {
        const path = `wal/${name}`;
        const end = disk.contents(path).byteLength;
        for (let position = 0; position < end; position++) {
          const bad = disk.copy();
          bad.corrupt(path, position, 1 << (position % 8));
          const found = await recover(bad);
          if (found instanceof LogCorruption || found === model.states.at(-1)) continue;
          throw new Error(`seed ${seed}, ${name} byte ${position}: ${found}`);
        }
      }
    }
  }, 30_000);

  it('every bit of a log whose process was killed: reported, or only the last append is cut', async () => {
    const { disk, model, statesBeforeLast, names } = await written(6, { closed: false });
    let reported = 0;
    for (const name of names) {
      const path = `wal/${name}`;
      const end = usedEnd(disk.contents(path));
      for (let bit = 0; bit < end * 8; bit++) {
        disk.corrupt(path, bit >> 3, 1 << (bit & 7));
        const report = verifyLog('wal', disk);
        if (report.damage?.kind === 'corruption') reported++;
        else if (report.damage?.kind !== 'tornTail' || name !== names.at(-1)) {
          // The padding behind a payload is covered as well, so no flip at all may pass unseen.
          throw new Error(`${name} bit ${bit}: ${JSON.stringify(report.damage)}`);
        } else {
          const bad = disk.copy();
          const text = await recover(bad);
          if (!model.states.slice(statesBeforeLast).includes(String(text))) {
            throw new Error(`${name} bit ${bit}: ${text}`);
          }
        }
        disk.corrupt(path, bit >> 3, 1 << (bit & 7));
      }
    }
    expect(reported).toBeGreaterThan(1000);
  }, 30_000);

  it('names the segment, the place and the reason', async () => {
    const { disk, names } = await written(7, { closed: true });
    disk.corrupt(`wal/${names[1]}`, 100, 4);
    await expect(openOn(disk.copy(), SEGMENT_BYTES)).rejects.toMatchObject({
      segment: names[1],
      offset: 64,
      reason: expect.stringContaining('later segment exists') as string,
    });
    expect(verifyLog('wal', disk).damage).toMatchObject({
      kind: 'corruption',
      segment: names[1],
      offset: 64,
    });
  });

  it('a missing segment is noticed, wherever it was', async () => {
    const { disk, names } = await written(8, { closed: true });
    for (const name of names.slice(0, -1)) {
      const bad = disk.copy();
      bad.automatic = true;
      await new Promise((resolve) => bad.remove(`wal/${name}`, resolve));
      expect(await recover(bad)).toBeInstanceOf(LogCorruption);
    }
  });

  it('a missing first segment is noticed, even if it held nothing but votes', async () => {
    const disk = new SimDisk();
    const log = await openOn(disk, SEGMENT_BYTES);
    const hardState = { term: 3, vote: 2, commit: 0 } as unknown as HardState;
    const groups = Array.from({ length: 16 }, (_, number) => (number + 1) as GroupId);
    log.append(
      groups.map((group) => ({ group, hardState, entries: [] })),
      () => undefined,
    );
    const data = Buffer.alloc(300);
    const entry = { term: 1, index: 1, kind: 0, data } as unknown as LogEntry;
    log.append([{ group: 99 as GroupId, entries: [entry] }], () => undefined);
    await log.close();
    const [first] = disk
      .list('wal')
      .filter((name) => name.endsWith('.wal'))
      .sort();
    await new Promise((resolve) => disk.remove(`wal/${first}`, resolve));
    expect(await recover(disk)).toMatchObject({ reason: expect.stringContaining('missing') as string });
  });

  it('a segment of another log in the place of one of this is noticed, sound as it is', async () => {
    const write = async (fill: string): Promise<SimDisk> => {
      const disk = new SimDisk();
      const log = await openOn(disk, SEGMENT_BYTES);
      for (let at = 1; at <= 12; at++) {
        const entry = { term: 1, index: at, kind: 0, data: Buffer.alloc(200, fill) } as unknown as LogEntry;
        log.append([{ group: 1 as GroupId, entries: [entry] }], () => undefined);
      }
      await log.close();
      return disk.copy();
    };
    const [disk, other] = [await write('a'), await write('b')];
    const [, second] = disk
      .list('wal')
      .filter((name) => name.endsWith('.wal'))
      .sort() as [string, string];
    disk.place(`wal/${second}`, other.contents(`wal/${second}`));
    expect(await recover(disk)).toMatchObject({
      segment: second,
      reason: expect.stringContaining('follow') as string,
    });
  });

  it('keeps what it cuts, and cuts it for good', async () => {
    const { disk, names } = await written(9, { closed: false });
    const path = `wal/${names.at(-1)}`;
    const end = usedEnd(disk.contents(path));
    disk.corrupt(path, end - 8, 0xff);
    expect(verifyLog('wal', disk).damage).toMatchObject({ kind: 'tornTail', segment: names.at(-1) });
    const log = await openOn(disk, SEGMENT_BYTES);
    const [kept] = disk.list('wal/torn');
    expect(kept).toContain(names.at(-1));
    expect(disk.contents(`wal/torn/${kept}`).byteLength).toBeGreaterThan(0);
    await log.close();
    expect(verifyLog('wal', disk).damage).toBeUndefined();
  });
});
