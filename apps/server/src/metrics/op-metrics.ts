import { type Registry, Counter } from 'prom-client';
import { FastHistogram } from './fast-histogram';

/** What the API does, as `op` labels. */
export const API_OPERATIONS = [
  'put',
  'patch',
  'get',
  'delete',
  'batch',
  'list',
  'query',
  'watch',
  'lease_acquire',
  'lease_renew',
  'lease_release',
  'lease_get',
] as const;
export type ApiOperation = (typeof API_OPERATIONS)[number];

/** Upper bounds in seconds, from a cache hit to the write timeout. */
const DURATION_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

interface Recorded {
  readonly results: Map<string, number>;
  observe(seconds: number): void;
}

/** `agentstate_ops_total` and `op_duration_seconds`, with no hashing of labels on the hot path. */
export class OpMetrics {
  private readonly recorded: Readonly<Record<ApiOperation, Recorded>>;

  constructor(registry: Registry) {
    const durations = new FastHistogram({
      name: 'op_duration_seconds',
      help: 'Time from the start of a request to its answer',
      bounds: DURATION_BUCKETS_SECONDS,
      registry,
    });
    const recorded = {} as Record<ApiOperation, Recorded>;
    for (const op of API_OPERATIONS) {
      const series = durations.with({ op });
      recorded[op] = { results: new Map([['ok', 0]]), observe: (seconds) => series.observe(seconds) };
    }
    this.recorded = recorded;
    new Counter({
      name: 'agentstate_ops_total',
      help: 'Requests answered, by what they did and what came of it',
      labelNames: ['op', 'result'],
      registers: [registry],
      collect(): void {
        this.reset();
        for (const op of API_OPERATIONS) {
          for (const [result, count] of recorded[op].results) this.inc({ op, result }, count);
        }
      },
    });
  }

  /** `result` is `ok` or an error code. */
  record(op: ApiOperation, result: string, seconds: number): void {
    const recorded = this.recorded[op];
    recorded.results.set(result, (recorded.results.get(result) ?? 0) + 1);
    recorded.observe(seconds);
  }
}
