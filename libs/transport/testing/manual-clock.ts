import type { Clock } from '#replication';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  private nowMs = 0;
  private readonly timers = new Set<Timer>();

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  soon(task: () => void): void {
    this.after(0, task);
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { dueMs: this.nowMs + delayMs, task };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Runs what falls due on the way, in the order of its time. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const due = [...this.timers].filter((timer) => timer.dueMs <= untilMs);
      const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.timers.delete(next);
      this.nowMs = next.dueMs;
      next.task();
    }
    this.nowMs = untilMs;
  }

  /** What a stopped process sees when it goes on: much later at once, and each timer that fell due runs once. */
  jump(byMs: number): void {
    this.nowMs += byMs;
    for (const timer of [...this.timers]) {
      if (timer.dueMs <= this.nowMs && this.timers.delete(timer)) timer.task();
    }
  }

  get pendingTimers(): number {
    return this.timers.size;
  }
}
