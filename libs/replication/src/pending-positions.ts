import { StateError, type CommitSeq } from '#contracts';

interface Waiting {
  readonly seq: CommitSeq;
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: StateError) => void;
}

/** Reads that wait until this replica has applied a position: how a client reads its own writes on any node. */
export class PendingPositions {
  private waiting: Waiting[] = [];

  get size(): number {
    return this.waiting.length;
  }

  /** Resolves once `seq` is reached; rejects with `timeout` after the deadline. */
  wait(seq: CommitSeq, applied: CommitSeq, deadlineMs: number): Promise<void> {
    if (applied >= seq) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiting.push({ seq, deadlineMs, resolve, reject }));
  }

  reached(applied: CommitSeq): void {
    if (this.waiting.length === 0) return;
    const due = this.waiting.filter(({ seq }) => seq <= applied);
    if (due.length === 0) return;
    this.waiting = this.waiting.filter(({ seq }) => seq > applied);
    for (const { resolve } of due) resolve();
  }

  expire(nowMs: number, applied: CommitSeq): void {
    if (this.waiting.length === 0) return;
    const late = this.waiting.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    if (late.length === 0) return;
    this.waiting = this.waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const { seq, reject } of late) {
      reject(new StateError('timeout', `This replica has applied ${applied}, not yet ${seq}.`));
    }
  }

  rejectAll(error: () => StateError): void {
    const { waiting } = this;
    this.waiting = [];
    for (const { reject } of waiting) reject(error());
  }
}
