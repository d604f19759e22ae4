import { StateError, type LogIndex } from '#contracts';

interface Waiting {
  readonly deadlineMs: number;
  readonly run: () => void;
  readonly reject: (error: StateError) => void;
}

interface Round {
  readonly reads: Waiting[];
  startedMs: number;
}

/**
 * Linearizable reads on one replica (Raft dissertation, section 6.4). Reads that arrive while none is being asked
 * for share one ReadIndex round; each round has a context of its own, so an answer to an earlier attempt is never
 * taken for a later one. A read runs once the replica has applied the index that its round came back with.
 */
export class PendingReads {
  private gathering: Waiting[] = [];
  private readonly rounds = new Map<number, Round>();
  private readonly applying: { readonly index: LogIndex; readonly reads: readonly Waiting[] }[] = [];
  private nextContext: number;

  /** `contextBase` tells this member's contexts from every other member's and from those before a restart. */
  constructor(contextBase: number) {
    this.nextContext = contextBase + 1;
  }

  get waiting(): boolean {
    return this.gathering.length > 0;
  }

  get size(): number {
    let count = this.gathering.length;
    for (const round of this.rounds.values()) count += round.reads.length;
    for (const group of this.applying) count += group.reads.length;
    return count;
  }

  add(deadlineMs: number, run: () => void, reject: (error: StateError) => void): void {
    this.gathering.push({ deadlineMs, run, reject });
  }

  /** Closes the round that was gathering; the caller asks the core for this context. */
  beginRound(nowMs: number): number {
    const context = this.nextContext++;
    this.rounds.set(context, { reads: this.gathering, startedMs: nowMs });
    this.gathering = [];
    return context;
  }

  /** Rounds without an answer for `retryMs` start over under a fresh context; returns whether there were any. */
  retry(nowMs: number, retryMs: number): boolean {
    let again = false;
    for (const [context, round] of this.rounds) {
      if (nowMs - round.startedMs < retryMs) continue;
      this.rounds.delete(context);
      this.gathering = this.gathering.concat(round.reads);
      again = true;
    }
    return again;
  }

  /** The core's answer to a round. */
  confirmed(context: number, index: LogIndex, applied: LogIndex): void {
    const round = this.rounds.get(context);
    if (round === undefined) return;
    this.rounds.delete(context);
    if (index <= applied) for (const read of round.reads) read.run();
    else this.applying.push({ index, reads: round.reads });
  }

  failed(context: number): void {
    const round = this.rounds.get(context);
    if (round === undefined) return;
    this.rounds.delete(context);
    for (const read of round.reads) read.reject(noLeader());
  }

  appliedTo(index: LogIndex): void {
    for (let at = 0; at < this.applying.length;) {
      const group = this.applying[at];
      if (group === undefined || group.index > index) {
        at += 1;
        continue;
      }
      this.applying.splice(at, 1);
      for (const read of group.reads) read.run();
    }
  }

  expire(nowMs: number): void {
    const late = (read: Waiting): boolean => {
      if (read.deadlineMs > nowMs) return false;
      read.reject(new StateError('timeout', 'The read could not be confirmed with a quorum in time.'));
      return true;
    };
    this.gathering = this.gathering.filter((read) => !late(read));
    for (const [context, round] of this.rounds) {
      const left = round.reads.filter((read) => !late(read));
      if (left.length === 0) this.rounds.delete(context);
      else this.rounds.set(context, { reads: left, startedMs: round.startedMs });
    }
    for (const [at, group] of this.applying.entries()) {
      this.applying[at] = { index: group.index, reads: group.reads.filter((read) => !late(read)) };
    }
  }

  rejectAll(error: () => StateError): void {
    const all = [
      ...this.gathering,
      ...[...this.rounds.values()].flatMap((round) => round.reads),
      ...this.applying.flatMap((group) => group.reads),
    ];
    this.gathering = [];
    this.rounds.clear();
    this.applying.length = 0;
    for (const read of all) read.reject(error());
  }
}

export function noLeader(): StateError {
  return new StateError('no_leader', 'No leader is known for this namespace right now; try again shortly.', {
    retry_after: 1,
  });
}
