import type { GroupId, HardState, LogEntry, LogIndex, Term } from '#contracts';
import { logStateText, SimDisk } from '#testkit';
import { openLog } from './index';

const SEGMENT_BYTES = 4096;
const GROUP = 1 as GroupId;
const entry = (at: number): LogEntry => ({
  term: 1 as Term,
  index: at as LogIndex,
  kind: 0,
  data: Buffer.alloc(400, at),
});

/** Goal: a full disk refuses growth early and never loses or invents an acknowledgement. */
describe('disk full', () => {
  const openOn = (disk: SimDisk, lowWaterBytes = 2 * SEGMENT_BYTES): ReturnType<typeof openLog> => {
    disk.automatic = true;
    return openLog({
      dir: 'wal',
      disk,
      segmentBytes: SEGMENT_BYTES,
      lowWaterBytes,
      onFatal: (error) => {
        throw error;
      },
    });
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('says low at the mark, still takes hard states, and says ok again once segments went', async () => {
    const disk = new SimDisk({ capacityBytes: 8 * SEGMENT_BYTES });
    const log = await openOn(disk);
    let last = 0;
    while (log.space() === 'ok' && last < 1000) {
      last++;
      await new Promise<void>((resolve) => log.append([{ group: GROUP, entries: [entry(last)] }], resolve));
    }
    // Two segments are the mark and one is prepared: what was written fits into the others.
    expect(log.stats().bytes).toBeGreaterThan(3 * SEGMENT_BYTES);
    expect(log.space()).toBe('low');
    for (let term = 1; term <= 20; term++) {
      const hardState = { term, vote: 1, commit: 0 } as unknown as HardState;
      await new Promise<void>((resolve) => log.append([{ group: GROUP, hardState, entries: [] }], resolve));
    }
    log.compact(GROUP, last as LogIndex);
    for (let tries = 0; log.space() === 'low' && tries < 50; tries++) await settle();
    expect(log.space()).toBe('ok');
    await log.close();
  });

  it('waits without a place to write, goes on when there is one, and acknowledges in order', async () => {
    const disk = new SimDisk({ capacityBytes: 3 * SEGMENT_BYTES });
    const log = await openOn(disk, 0);
    const acknowledged: number[] = [];
    for (let at = 1; at <= 60; at++) {
      log.append([{ group: GROUP, entries: [entry(at)] }], () => acknowledged.push(at));
    }
    await settle();
    expect(log.space()).toBe('low');
    expect(acknowledged.length).toBeLessThan(60);
    expect(acknowledged.length).toBeGreaterThan(8);
    const before = acknowledged.length;
    expect(log.entries(GROUP, 1 as LogIndex, 61 as LogIndex, 1e9)).toHaveLength(60);

    // A machine that ends here comes back with at least what was acknowledged.
    const later = disk.copy();
    later.capacityBytes = Number.MAX_SAFE_INTEGER;
    const recovered = await openOn(later);
    expect(recovered.state(GROUP)?.lastIndex).toBeGreaterThanOrEqual(before);
    await recovered.close();

    disk.capacityBytes = 100 * SEGMENT_BYTES;
    log.space();
    await settle();
    expect(acknowledged).toEqual(Array.from({ length: 60 }, (_, position) => position + 1));
    expect(log.space()).toBe('ok');
    const text = logStateText(log);
    await log.close();
    const again = await openOn(disk);
    expect(logStateText(again)).toBe(text);
    await again.close();
  });

  it('refuses to close cleanly what it cannot sync', async () => {
    const disk = new SimDisk({ capacityBytes: 2 * SEGMENT_BYTES });
    const log = await openOn(disk, 0);
    for (let at = 1; at <= 60; at++) log.append([{ group: GROUP, entries: [entry(at)] }], () => undefined);
    await settle();
    await expect(log.close()).rejects.toThrow('full');
  });

  it('starts on a full disk', async () => {
    const disk = new SimDisk({ capacityBytes: 2 * SEGMENT_BYTES });
    const log = await openOn(disk, 0);
    log.append([{ group: GROUP, entries: [entry(1)] }], () => undefined);
    await log.close();
    disk.capacityBytes = 0;
    const again = await openOn(disk, 0);
    await new Promise<void>((resolve) => again.append([{ group: GROUP, entries: [entry(2)] }], resolve));
    await again.close();
  });
});
