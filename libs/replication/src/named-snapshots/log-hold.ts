import type { GroupId, LogIndex } from '#contracts';
import type { LogStore } from '../ports';

export interface LogHoldOptions {
  readonly log: LogStore;
  /** Entries that a named snapshot stands at, oldest first. */
  readonly pointsOf: (group: GroupId) => readonly LogIndex[];
  /** Bytes that the log may take for the sake of snapshots. */
  readonly logBytes: number;
}

/**
 * How much of the log stays so that a snapshot can be rolled forward. Once there is one, all from the oldest that the
 * log still reaches; when that grows past its bound, from the newest; past twice the bound, or when the disk is
 * nearly full, nothing is kept for snapshots. A node that has none trims its log as if there were no such thing.
 */
export class LogHold {
  constructor(private readonly options: LogHoldOptions) {}

  /** Up to where the group's log may be trimmed; `undefined` when no snapshot needs it. */
  trimmableTo(group: GroupId): LogIndex | undefined {
    const { log, logBytes, pointsOf } = this.options;
    const { bytes } = log.stats();
    if (bytes > 2 * logBytes || log.space() === 'low') return undefined;
    const floor = log.state(group)?.floorIndex ?? 0;
    const reached = pointsOf(group).filter((index) => index >= floor);
    return bytes > logBytes ? reached.at(-1) : reached[0];
  }
}
