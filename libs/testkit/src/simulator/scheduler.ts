import type { Trace } from './trace';

/**
 * Whose event it is: one run of a node's process, from its start to its end. What was meant for a run that has
 * ended does not happen; what is meant for a paused one waits.
 */
export class Life {
  alive = true;
  paused = false;
  readonly deferred: Occurrence[] = [];

  constructor(
    readonly name: string,
    readonly owner: number,
  ) {}
}

/** Timers fire first after a pause, as an event loop has it; then what arrived; then what it had put off itself. */
export type OccurrenceKind = 'timer' | 'input' | 'soon';

export interface Occurrence {
  timeMs: number;
  order: number;
  readonly kind: OccurrenceKind;
  readonly what: string;
  readonly life: Life | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

const AFTER_PAUSE: readonly OccurrenceKind[] = ['timer', 'input', 'soon'];

/** Owns simulated time and everything that happens in it: ordered by time, then by the order of being planned. */
export class Scheduler {
  nowMs = 0;
  private readonly heap: Occurrence[] = [];
  private planned = 0;

  constructor(private readonly trace: Trace) {}

  /** Plans something; the answer cancels it. */
  after(
    delayMs: number,
    what: string,
    run: () => void,
    life?: Life,
    kind: OccurrenceKind = 'input',
  ): () => void {
    const occurrence: Occurrence = {
      timeMs: this.nowMs + Math.max(0, delayMs),
      order: this.planned++,
      kind,
      what,
      life,
      run,
      cancelled: false,
    };
    this.push(occurrence);
    return () => {
      occurrence.cancelled = true;
    };
  }

  /** Lets the next thing happen; `undefined` when there is none. */
  runNext(): Occurrence | undefined {
    for (let next = this.pop(); next !== undefined; next = this.pop()) {
      const { life } = next;
      if (next.cancelled || life?.alive === false) continue;
      this.nowMs = Math.max(this.nowMs, next.timeMs);
      if (life?.paused === true) {
        life.deferred.push(next);
        continue;
      }
      this.trace.note(this.nowMs, life?.name ?? '-', next.what);
      next.run();
      return next;
    }
    return undefined;
  }

  resume(life: Life): void {
    life.paused = false;
    const waiting = life.deferred.splice(0);
    for (const kind of AFTER_PAUSE) {
      for (const one of waiting) {
        if (one.kind !== kind || one.cancelled) continue;
        one.timeMs = this.nowMs;
        one.order = this.planned++;
        this.push(one);
      }
    }
  }

  private push(occurrence: Occurrence): void {
    const { heap } = this;
    let at = heap.push(occurrence) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Occurrence;
      if (!isBefore(occurrence, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = occurrence;
  }

  private pop(): Occurrence | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Occurrence, heap[child] as Occurrence))
        child++;
      const below = heap[child] as Occurrence;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(left: Occurrence, right: Occurrence): boolean {
  return left.timeMs < right.timeMs || (left.timeMs === right.timeMs && left.order < right.order);
}

/** All promises have settled that could: a later turn of the real event loop comes after every microtask. */
export function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
