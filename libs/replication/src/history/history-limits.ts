/** Every bound of what nodes ask each other for the sake of watchers. */
export const HISTORY_LIMITS = {
  /** Largest page that is given to another node; one batch is given whole however large it is. */
  pageBytes: 1_048_576,
  /** Pages that this node has asked for and not got yet. */
  pagesAsked: 32,
  /** How long a holder waits for a change before it says that there is none, in milliseconds. */
  waitMs: 2_000,
  /** Beside the wait, how long an answer may take. */
  answerTimeoutMs: 5_000,
  /** How long a holder may take to learn from a quorum how far the history goes. */
  confirmTimeoutMs: 4_000,
  /** Scans that a node keeps open for others. */
  openScans: 256,
  /** A scan that nobody asked about for this long is closed: a watcher that takes nothing was given up before. */
  scanIdleMs: 90_000,
  /** Times a page of a scan is asked for. */
  scanAttempts: 3,
  /** How often the newest position is asked for while a bus brings the changes. */
  slowFollowMs: 2_000,
  /** The wait after a question that nobody answered: doubled from the first to the second. */
  retryMinMs: 50,
  retryMaxMs: 1_000,
} as const;
