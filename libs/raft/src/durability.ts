import type { HardState, LogIndex, MemberId, Term } from '#contracts';

/** One hand-over to the host's log that is not synced yet. */
interface InFlightAppend {
  readonly mark: number;
  /** Highest entry that this hand-over makes durable; lowered when a later one overwrites its tail. */
  lastIndex: LogIndex;
  readonly hardState: HardState | undefined;
  readonly snapshotIndex: LogIndex;
}

/**
 * What has survived the host's sync, counted by the core itself.
 *
 * Hand-overs are marked in ascending order and become durable in that order. An entry counts as durable only if
 * every state that a crash could leave behind from now on still holds it with this term. So when entries from
 * an index on are replaced, both the durable index and every hand-over in flight are cut back to before it at
 * once: a late answer to the hand-over that wrote the old entries then says nothing about the new ones, even if
 * these have the terms of the old ones again (the ABA problem of asynchronous log writes).
 */
export class Durability {
  /** Term and vote as they would be found after a crash now. */
  term: Term;
  vote: MemberId;
  private readonly inFlight: InFlightAppend[] = [];
  private lastMark = 0;

  constructor(
    hardState: HardState,
    /** Highest durable entry of the present log. */
    public index: LogIndex,
  ) {
    this.term = hardState.term;
    this.vote = hardState.vote;
  }

  get isSettled(): boolean {
    return this.inFlight.length === 0;
  }

  /** Opens a hand-over; `lastIndex` is the end of the log with it. */
  handedOut(lastIndex: LogIndex, hardState: HardState | undefined, snapshotIndex: LogIndex): number {
    this.lastMark += 1;
    this.inFlight.push({ mark: this.lastMark, lastIndex, hardState, snapshotIndex });
    return this.lastMark;
  }

  /** Entries from `index` on were replaced or dropped. */
  truncatedFrom(index: LogIndex): void {
    const kept = (index - 1) as LogIndex;
    if (this.index > kept) this.index = kept;
    for (const append of this.inFlight) if (append.lastIndex > kept) append.lastIndex = kept;
  }

  /**
   * The hand-over `mark`, and every one before it, is synced. Answers the index of the snapshot that it
   * installed (0 for none), or `undefined` for a mark that is not in flight.
   */
  done(mark: number): LogIndex | undefined {
    let snapshotIndex = 0 as LogIndex;
    let known = false;
    while (this.inFlight.length > 0 && (this.inFlight[0] as InFlightAppend).mark <= mark) {
      const append = this.inFlight.shift() as InFlightAppend;
      known ||= append.mark === mark;
      if (append.snapshotIndex > 0) {
        snapshotIndex = append.snapshotIndex;
        this.index = append.snapshotIndex;
      }
      if (append.lastIndex > this.index) this.index = append.lastIndex;
      if (append.hardState !== undefined) {
        this.term = append.hardState.term;
        this.vote = append.hardState.vote;
      }
    }
    return known ? snapshotIndex : undefined;
  }
}
