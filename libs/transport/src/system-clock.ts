import type { Clock, Random } from '#replication';

export const SYSTEM_CLOCK: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (task) => void setImmediate(task),
};

/** For jitter only, so it need not be unpredictable. */
export const SYSTEM_RANDOM: Random = { below: (bound) => Math.floor(Math.random() * bound) };
