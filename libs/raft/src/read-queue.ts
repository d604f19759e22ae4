import type { LogIndex, MemberId } from '#contracts';

/** A read that a leader owes an index: its own, or one that a follower forwarded. */
export interface PendingRead {
  readonly from: MemberId;
  readonly context: number;
}

/** Reads that wait for one round of heartbeats. */
export interface ReadRound {
  readonly round: number;
  /** The commit index when the round began: what the reads are answered with. */
  readonly index: LogIndex;
  readonly reads: readonly PendingRead[];
}

/** Most rounds under way at once; further reads gather for the next one. */
export const MAX_READ_ROUNDS = 8;

/**
 * The reads of one member. On the leader: those that wait for a round, and the rounds under way. On the others:
 * the contexts forwarded to the leader, in two generations, so that one that was lost fails after between one
 * and two election timeouts and is not remembered for ever.
 */
export class ReadQueue {
  waiting: PendingRead[] = [];
  readonly rounds: ReadRound[] = [];
  /** Number of the newest round of this term; numbers are unique within a leader's term. */
  newestRound = 0;
  /** When rounds began that the lease has not been reckoned from yet. */
  private roundStarts: { readonly round: number; readonly tick: number }[] = [];
  /** The tick from which the leader's lease runs; `undefined` before the first confirmed round. */
  leaseStartTick: number | undefined;
  /** A transfer was attempted in this term: its vote passes over leases, at any later time. */
  leaseForfeited = false;

  private forwarded = new Set<number>();
  private forwardedEarlier = new Set<number>();

  startRound(tick: number): number {
    this.newestRound += 1;
    this.roundStarts.push({ round: this.newestRound, tick });
    return this.newestRound;
  }

  /** A quorum has answered `round`: answers the rounds of reads that are confirmed with it. */
  confirmedTo(round: number): ReadRound[] {
    let starts = 0;
    while (starts < this.roundStarts.length && (this.roundStarts[starts]?.round ?? Infinity) <= round) {
      this.leaseStartTick = this.roundStarts[starts]?.tick;
      starts += 1;
    }
    if (starts > 0) this.roundStarts = this.roundStarts.slice(starts);
    let rounds = 0;
    while (rounds < this.rounds.length && (this.rounds[rounds]?.round ?? Infinity) <= round) rounds += 1;
    return rounds === 0 ? [] : this.rounds.splice(0, rounds);
  }

  forward(context: number): void {
    this.forwarded.add(context);
  }

  /** Whether this context was waited for; from now on it is not. */
  answered(context: number): boolean {
    return this.forwarded.delete(context) || this.forwardedEarlier.delete(context);
  }

  /** Moves the generations on by one: answers the contexts that were given up. */
  expireForwarded(): number[] {
    if (this.forwarded.size === 0 && this.forwardedEarlier.size === 0) return [];
    const expired = [...this.forwardedEarlier];
    this.forwardedEarlier = this.forwarded;
    this.forwarded = new Set();
    return expired;
  }

  /** Forgets everything of the present role or term: answers this member's own contexts, all failed now. */
  reset(self: MemberId): number[] {
    const own: number[] = [...this.forwardedEarlier, ...this.forwarded];
    for (const round of this.rounds)
      for (const read of round.reads) if (read.from === self) own.push(read.context);
    for (const read of this.waiting) if (read.from === self) own.push(read.context);
    this.forwarded.clear();
    this.forwardedEarlier.clear();
    this.rounds.length = 0;
    this.waiting = [];
    this.roundStarts = [];
    this.newestRound = 0;
    this.leaseStartTick = undefined;
    this.leaseForfeited = false;
    return own;
  }
}
