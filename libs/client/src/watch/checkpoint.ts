/**
 * Where a watch keeps its position between two runs of a program. What is saved has been processed: the loop has come
 * back for the next event. After a crash the newest events may come again, none is left out.
 */
export interface Checkpoint {
  /** The saved position; `undefined` at the first start. */
  load(): Promise<number | undefined> | number | undefined;
  /** Everything up to the position has been processed. */
  save(position: number): Promise<void> | void;
}

/** Saves at most once in so many milliseconds, and at the end. */
export class CheckpointWriter {
  private savedAtMs = 0;
  private unsaved: number | undefined;

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly intervalMs: number,
  ) {}

  /** Everything up to the position has been processed. */
  async processed(position: number): Promise<void> {
    this.unsaved = position;
    if (Date.now() - this.savedAtMs >= this.intervalMs) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.unsaved === undefined) return;
    const position = this.unsaved;
    this.unsaved = undefined;
    await this.checkpoint.save(position);
    this.savedAtMs = Date.now();
  }
}
