import type { Clock } from '#replication';
import type { Life, Scheduler } from './scheduler';

/** What a machine's clocks show, apart from simulated time. */
export interface ClockError {
  /** Added to what has run by this machine's own count, for the wall clock; jumps as operators and time servers make it jump. */
  wallOffsetMs: number;
  /** How long a second of this machine is in simulated seconds. */
  readonly secondLength: number;
}

/** The clock of one run of a node's process. */
export class HostClock implements Clock {
  constructor(
    private readonly scheduler: Scheduler,
    private readonly life: Life,
    private readonly error: ClockError,
  ) {}

  wallMs(): number {
    return Math.floor(this.monotonicMs() + this.error.wallOffsetMs);
  }

  monotonicMs(): number {
    return this.scheduler.nowMs / this.error.secondLength;
  }

  after(delayMs: number, task: () => void): () => void {
    return this.scheduler.after(delayMs * this.error.secondLength, 'timer', task, this.life, 'timer');
  }

  soon(task: () => void): void {
    this.scheduler.after(0, 'turn', task, this.life, 'soon');
  }
}
