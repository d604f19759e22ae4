/** A piece of work that is done in bounded steps, each on some later turn of the event loop. */
export interface Task {
  /** Kept by the queue: a task stands in it once. */
  queued: boolean;
  /** Does one bounded step and adds itself again if more is left. Answers its cost, about in microseconds. */
  step(): number;
}

/** How much work is done before the event loop gets its turn, about in microseconds. */
const TURN_COST = 2_000;

/** First in, first out: every task gets its step before any gets its second. */
export class TurnQueue {
  private tasks: Task[] = [];
  private head = 0;
  private armed = false;

  constructor(
    private readonly defer: (task: () => void) => void,
    private readonly afterTurn: () => void,
  ) {}

  add(task: Task): void {
    if (task.queued) return;
    task.queued = true;
    this.tasks.push(task);
    this.arm();
  }

  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    this.defer(this.turn);
  }

  private readonly turn = (): void => {
    this.armed = false;
    let left = TURN_COST;
    try {
      for (let task = this.tasks[this.head]; task !== undefined && left > 0; task = this.tasks[this.head]) {
        this.head++;
        task.queued = false;
        left -= task.step();
      }
    } finally {
      // Also when a step throws: what is queued behind it belongs to other watchers.
      this.tasks = this.tasks.slice(this.head);
      this.head = 0;
      if (this.tasks.length > 0) this.arm();
    }
    this.afterTurn();
  };
}
