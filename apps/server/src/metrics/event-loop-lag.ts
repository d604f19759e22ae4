import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** How often the delay is sampled; the sampling itself is taken off what is reported. */
const RESOLUTION_MS = 20;
const NANOSECONDS_PER_SECOND = 1e9;

/** `event_loop_lag_seconds`: the longest delay of the event loop since the last scrape. Returns how to stop it. */
export function measureEventLoopLag(registry: Registry): () => void {
  const delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  new Gauge({
    name: 'event_loop_lag_seconds',
    help: 'Longest delay of the event loop since the last scrape',
    registers: [registry],
    collect(): void {
      this.set(Math.max(0, delays.max / NANOSECONDS_PER_SECOND - RESOLUTION_MS / 1_000));
      delays.reset();
    },
  });
  return () => delays.disable();
}
