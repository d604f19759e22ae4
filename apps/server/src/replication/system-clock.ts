import type { Clock, Random } from '#replication';

/** The machine's clocks and the event loop's phases. */
export const SYSTEM_CLOCK: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (task) => void setImmediate(task),
};

/** For election timeouts and jitter; nothing that must not be guessed is made from it. */
export const SYSTEM_RANDOM: Random = { below: (bound) => Math.floor(Math.random() * bound) };
