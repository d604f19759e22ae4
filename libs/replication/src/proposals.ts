import { StateError, type CommandOutcome, type LogIndex, type Term } from '#contracts';

interface Waiting {
  readonly term: Term;
  readonly deadlineMs: number;
  readonly resolve: (outcome: CommandOutcome) => void;
  readonly reject: (error: StateError) => void;
}

/**
 * Proposals that are in the log and not yet decided, by index. A proposal is answered when an entry is applied at
 * its index: the same term means it is that entry, another term means that another leader's entry took its place
 * and it can never commit (Log Matching). Until then its outcome is open, whoever leads.
 */
export class PendingProposals {
  private readonly byIndex = new Map<LogIndex, Waiting>();

  /** `onFailed` is told of every proposal that was not committed as far as is known, before its client is. */
  constructor(private readonly onFailed: (error: StateError) => void) {}

  get size(): number {
    return this.byIndex.size;
  }

  add(
    index: LogIndex,
    term: Term,
    deadlineMs: number,
    resolve: (outcome: CommandOutcome) => void,
    reject: (error: StateError) => void,
  ): void {
    // A change of leader cut the older one off here. Another member may hold it still, and lead and commit it later:
    // only an entry that is applied in its place proves that it is lost.
    const older = this.byIndex.get(index);
    if (older !== undefined) this.fail(older, outcomeUnknown());
    this.byIndex.set(index, { term, deadlineMs, resolve, reject });
  }

  /** The entry at `index` was applied with this outcome. */
  settle(index: LogIndex, term: Term, outcome: CommandOutcome | undefined): void {
    const waiting = this.byIndex.get(index);
    if (waiting === undefined) return;
    this.byIndex.delete(index);
    if (waiting.term === term && outcome !== undefined) waiting.resolve(outcome);
    else this.fail(waiting, overwritten());
  }

  /** Everything at or below `index` that was not applied one by one: a snapshot stands in for it. */
  abandonThrough(index: LogIndex): void {
    for (const [at, waiting] of this.byIndex) {
      if (at > index) continue;
      this.byIndex.delete(at);
      this.fail(waiting, outcomeUnknown());
    }
  }

  /** Rejects what has waited too long. Each proposer chose its own deadline, so all are looked at. */
  expire(nowMs: number): void {
    for (const [at, waiting] of this.byIndex) {
      if (waiting.deadlineMs > nowMs) continue;
      this.byIndex.delete(at);
      this.fail(waiting, outcomeUnknown());
    }
  }

  rejectAll(error: () => StateError): void {
    for (const waiting of this.byIndex.values()) this.fail(waiting, error());
    this.byIndex.clear();
  }

  private fail(waiting: Waiting, error: StateError): void {
    this.onFailed(error);
    waiting.reject(error);
  }
}

export function outcomeUnknown(): StateError {
  return new StateError(
    'timeout',
    'The write was not confirmed in time; whether it happened is unknown. Read the object, or send the same write again.',
  );
}

function overwritten(): StateError {
  return new StateError(
    'no_leader',
    'Leadership changed before the write was committed; nothing was written.',
    {
      retry_after: 1,
    },
  );
}
