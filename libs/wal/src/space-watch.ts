import type { Activity } from './activity';
import type { Disk } from './disk';

export interface SpaceWatchOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly lowWaterBytes: number;
  /** How much may be appended before the free space is looked at again. */
  readonly refreshBytes: number;
  readonly activity: Activity;
  /** Runs after each look at the disk. */
  readonly onRefreshed: (freeBytes: number) => void;
}

/** Knows, without asking the disk each time, whether the disk is about to be full. */
export class SpaceWatch {
  private low = false;
  private appendedBytes = 0;
  private asking = false;

  constructor(private readonly options: SpaceWatchOptions) {}

  get isLow(): boolean {
    return this.low;
  }

  appended(bytes: number): void {
    this.appendedBytes += bytes;
    if (this.appendedBytes >= this.options.refreshBytes) this.refresh();
  }

  refresh(): void {
    if (this.asking) return;
    this.asking = true;
    this.appendedBytes = 0;
    const { activity, disk, folder, lowWaterBytes, onRefreshed } = this.options;
    activity.begin();
    disk.freeBytes(folder, (error, bytes) => {
      this.asking = false;
      // A file system that does not answer is not one to promise space on.
      this.low = error !== null || bytes < lowWaterBytes;
      if (error === null) onRefreshed(bytes);
      activity.end();
    });
  }
}
