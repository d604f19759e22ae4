/** @internal Mistakes to make on purpose: simulators prove with them that they would notice. Each is one branch. */
export const STATE_BUGS = [
  /** A command under an idempotency key runs again when it comes again. */
  'replayIdempotentTwice',
  /** Tokens are counted with the lease, so that they begin anew when it was given up or has ended. */
  'fenceGoesBack',
  /** A write under a lease that has run out passes, as long as nobody has removed or taken the lease since. */
  'passExpiredFence',
  /** Leases go by the clock of whoever proposed the command, not by the log's time, which never goes back. */
  'leaseByProposersClock',
  /** An object that is replaced keeps the rows that indexes of places in bodies had of it. */
  'leaveReplacedFieldRow',
  /** A new index counts as complete after the first step of its build. */
  'readyAfterOneStep',
] as const;

/** @internal See {@link STATE_BUGS}. */
export type StateBug = (typeof STATE_BUGS)[number];
