/** Counts the log's operations on the disk that are under way, so that closing can wait for the last one. */
export class Activity {
  private count = 0;
  private waiting: (() => void) | undefined;

  begin(): void {
    this.count++;
  }

  end(): void {
    this.count--;
    if (this.count !== 0 || this.waiting === undefined) return;
    const waiting = this.waiting;
    this.waiting = undefined;
    waiting();
  }

  /** Runs `done` as soon as nothing is under way. */
  whenIdle(done: () => void): void {
    if (this.count === 0) done();
    else this.waiting = done;
  }
}
