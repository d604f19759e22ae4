import { StateError } from '#contracts';
import type { Clock } from '../ports';
import type { SnapshotRecord } from './archive';

export interface SnapshotScheduleOptions {
  readonly clock: Clock;
  /** Between two snapshots; 0 takes none. */
  readonly intervalMs: number;
  readonly records: () => readonly SnapshotRecord[];
  /** Whether it is this node's turn: one node of a cluster sees to it. */
  readonly isOurs: () => boolean;
  readonly take: () => Promise<unknown>;
  readonly onError: (error: Error) => void;
}

/** After a failure it waits this long, so that a disk that is full is not filled over and over. */
const AGAIN_MS = 60_000;

/** Takes a snapshot when the newest is older than the interval; what was taken by hand counts too. */
export class SnapshotSchedule {
  private busy = false;
  private notBeforeMs = 0;

  constructor(private readonly options: SnapshotScheduleOptions) {}

  /** Looks whether one is due; called once in a while. */
  step(): void {
    const { clock, intervalMs, records, isOurs, take, onError } = this.options;
    if (intervalMs === 0 || this.busy || !isOurs()) return;
    const nowMs = clock.wallMs();
    const newestMs = Math.max(0, ...records().map(({ createdMs }) => createdMs));
    if (nowMs < newestMs + intervalMs || clock.monotonicMs() < this.notBeforeMs) return;
    this.busy = true;
    take()
      .catch((error: unknown) => {
        this.notBeforeMs = clock.monotonicMs() + AGAIN_MS;
        if (!(error instanceof StateError)) onError(error as Error);
      })
      .finally(() => (this.busy = false));
  }
}
