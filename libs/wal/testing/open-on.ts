import type { SimDisk } from '#testkit';
import { type Log, openLog } from '../src/index';

/** Opens the log on a simulated disk that works by itself; whatever is fatal to the log fails the test. */
export function openOn(disk: SimDisk, segmentBytes: number): Promise<Log> {
  disk.automatic = true;
  return openLog({
    dir: 'wal',
    disk,
    segmentBytes,
    lowWaterBytes: 0,
    onFatal: (error) => {
      throw error;
    },
  });
}
