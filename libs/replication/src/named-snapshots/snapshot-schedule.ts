import { StateError } from '#contracts';
import type { Clock } from '../ports';
import type { SnapshotRecord } from './archive';

export interface SnapshotScheduleOptions {
  readonly clock: Clock;
  /** Between two snapshots; 0 takes none. */
  readonly intervalMs: number;
  readonly records: () => readonly SnapshotRecord[];
  /** How full the log is of what the newest snapshot needs: above 1 a newer one is due. */
  readonly logOutgrown: () => number;
  /** Whether it is this node's turn: one node of a cluster sees to it. */
  readonly isOurs: () => boolean;
  readonly take: () => Promise<unknown>;
  readonly onError: (error: Error) => void;
}

/** After a failure it waits this long, so that a disk that is full is not filled over and over. */
const AGAIN_MS = 60_000;

/** Between two that the log asks for: it takes a while until what one has released is gone. */
const RELEASE_MS = 60_000;
/** Other nodes see to a log of their own only when the one whose turn it is has not: theirs is about as large. */
const OTHERS_OUTGROWN = 1.5;

/**
 * Takes a snapshot when the newest is older than the interval, what was taken by hand counts too; and when the log
 * has outgrown its bound, for only a newer snapshot lets go of what the newest one needs.
 */
export class SnapshotSchedule {
  private busy = false;
  private notBeforeMs = 0;

  constructor(private readonly options: SnapshotScheduleOptions) {}

  /** Looks whether one is due; called once in a while. */
  step(): void {
    const { clock, take, onError } = this.options;
    if (this.busy || clock.monotonicMs() < this.notBeforeMs) return;
    const isForLog = this.isDueToLog();
    if (!isForLog && !this.isDueByTime()) return;
    this.busy = true;
    take()
      .then(() => {
        if (isForLog) this.notBeforeMs = clock.monotonicMs() + RELEASE_MS;
      })
      .catch((error: unknown) => {
        this.notBeforeMs = clock.monotonicMs() + AGAIN_MS;
        if (!(error instanceof StateError)) onError(error as Error);
      })
      .finally(() => (this.busy = false));
  }

  private isDueByTime(): boolean {
    const { clock, intervalMs, records, isOurs } = this.options;
    if (intervalMs === 0 || !isOurs()) return false;
    const newestMs = Math.max(0, ...records().map(({ createdMs }) => createdMs));
    return clock.wallMs() >= newestMs + intervalMs;
  }

  private isDueToLog(): boolean {
    const { logOutgrown, isOurs } = this.options;
    return logOutgrown() > (isOurs() ? 1 : OTHERS_OUTGROWN);
  }
}
