/** Milliseconds: `wallMs` since 1970 and may jump, `monotonicMs` never goes back. */
export interface Clock {
  wallMs(): number;
  monotonicMs(): number;
  /** Runs `task` once after about `delayMs`; the returned function cancels. */
  after(delayMs: number, task: () => void): () => void;
}
