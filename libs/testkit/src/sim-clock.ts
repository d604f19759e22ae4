import type { Clock } from '#watch';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly task: () => void;
}

/**
 * Time that stands still until a test moves it. Timers run in the order of their time, then of their making; what
 * is due at once runs on `advance(0)`, so a test decides between which steps a "later turn" of the loop lies.
 */
export class SimClock implements Clock {
  private timers: Timer[] = [];
  private made = 0;

  constructor(
    private nowMs = 0,
    private wallOffsetMs = 1_700_000_000_000,
  ) {}

  wallMs(): number {
    return this.nowMs + this.wallOffsetMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer: Timer = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.made++, task };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Moves the wall clock alone, as an operator or a time server does. */
  jumpWall(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  /** When the next timer is due, on the monotonic clock. */
  nextDueMs(): number | undefined {
    return this.next()?.dueMs;
  }

  /** Runs the next timer, moving time to it; `false` when there is none. */
  runNext(): boolean {
    const timer = this.next();
    if (timer === undefined) return false;
    this.timers = this.timers.filter((other) => other !== timer);
    this.nowMs = Math.max(this.nowMs, timer.dueMs);
    timer.task();
    return true;
  }

  /** Moves time on and runs all that falls due, also what those tasks start, if it is due by then. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (let dueMs = this.nextDueMs(); dueMs !== undefined && dueMs <= untilMs; dueMs = this.nextDueMs()) {
      this.runNext();
    }
    this.nowMs = untilMs;
  }

  private next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      const earlier =
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order);
      if (earlier) first = timer;
    }
    return first;
  }
}
