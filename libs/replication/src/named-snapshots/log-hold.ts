import type { GroupId, LogIndex } from '#contracts';
import type { LogStore } from '../ports';

/** Entries that snapshots of a group stand at, oldest first. */
export interface HoldPoints {
  readonly published: readonly LogIndex[];
  /** Of those that are being taken: they may still fail. */
  readonly coming: readonly LogIndex[];
}

export interface LogHoldOptions {
  readonly log: LogStore;
  readonly pointsOf: (group: GroupId) => HoldPoints;
  /** Bytes that the log may take for the sake of snapshots. */
  readonly logBytes: number;
}

/**
 * How much of the log stays so that a snapshot can be rolled forward. Once there is one, all from the oldest that the
 * log still reaches; when the log grows past its bound, or the disk is nearly full, from the newest. A node that has
 * none trims its log as if there were no such thing.
 *
 * Invariant: what the newest snapshot does not hold stays, however large the log and however full the disk is. Past
 * the bound it takes a newer snapshot to let go of more ({@link outgrown}); while there is none, that is told
 * ({@link isOverdue}).
 */
export class LogHold {
  constructor(private readonly options: LogHoldOptions) {}

  /** Up to where the group's log may be trimmed; `undefined` when no snapshot needs it. */
  trimmableTo(group: GroupId): LogIndex | undefined {
    const { published, coming } = this.reachedIn(group);
    const isTight = this.outgrown > 1 || this.options.log.space() === 'low';
    return (isTight ? published.at(-1) : published[0]) ?? coming[0];
  }

  /** The log's size as a share of its bound: above 1 a snapshot is due that lets go of some of it. */
  get outgrown(): number {
    const { log, logBytes } = this.options;
    return log.stats().bytes / logBytes;
  }

  /** Whether a snapshot that is taken now lets go of more than half of what the log holds of the groups that have one. */
  get wouldRelease(): boolean {
    const { log } = this.options;
    let released = 0;
    let stays = 0;
    for (const group of log.groups()) {
      const newest = this.newestOf(group);
      const state = log.state(group);
      if (newest === undefined || state === undefined) continue;
      released += state.lastIndex - newest;
      stays += newest - state.floorIndex;
    }
    return released > stays;
  }

  /** Whether snapshots hold more of the log than there should be, so that somebody has to see to it. */
  get isOverdue(): boolean {
    const { log } = this.options;
    if (this.outgrown <= 2 && log.space() !== 'low') return false;
    return log.groups().some((group) => this.newestOf(group) !== undefined);
  }

  private newestOf(group: GroupId): LogIndex | undefined {
    const { published, coming } = this.reachedIn(group);
    return coming.at(-1) ?? published.at(-1);
  }

  private reachedIn(group: GroupId): HoldPoints {
    const floor = this.options.log.state(group)?.floorIndex ?? 0;
    const { published, coming } = this.options.pointsOf(group);
    const reached = (index: LogIndex): boolean => index >= floor;
    return { published: published.filter(reached), coming: coming.filter(reached) };
  }
}
