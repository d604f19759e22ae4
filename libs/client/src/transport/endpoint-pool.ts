import type { Endpoint } from '../options.js';

/** How long an endpoint that failed is asked last; doubled with each failure in a row. */
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

/** What is known of one endpoint. */
export interface PooledEndpoint {
  readonly url: string;
  region: string | undefined;
  failures: number;
  /** Until then, by the pool's clock, others are asked first. */
  restsUntilMs: number;
}

/** Which of several nodes to ask: those of the own region first, those that failed lately last. */
export class EndpointPool {
  private readonly endpoints: readonly PooledEndpoint[];

  constructor(
    endpoints: readonly Endpoint[],
    private readonly region: string | undefined,
    private readonly nowMs: () => number = () => Date.now(),
  ) {
    this.endpoints = endpoints.map(({ url, region: known }) => ({
      url,
      region: known,
      failures: 0,
      restsUntilMs: 0,
    }));
  }

  /** The best endpoint that is not among the excluded; of those that all rest, the one that rests least long. */
  pick(
    excluded: ReadonlySet<PooledEndpoint>,
    allowedRegions?: readonly string[],
  ): PooledEndpoint | undefined {
    const nowMs = this.nowMs();
    let best: PooledEndpoint | undefined;
    let bestRank = Infinity;
    for (const endpoint of this.endpoints) {
      if (excluded.has(endpoint)) continue;
      const { region, restsUntilMs } = endpoint;
      if (allowedRegions && region !== undefined && !allowedRegions.includes(region)) continue;
      const isNear = this.region === undefined || region === this.region;
      const rank = restsUntilMs > nowMs ? restsUntilMs : isNear ? 0 : 1;
      if (rank < bestRank) {
        best = endpoint;
        bestRank = rank;
      }
    }
    return best;
  }

  /** The best of all. */
  get first(): PooledEndpoint {
    const endpoint = this.pick(new Set());
    if (endpoint === undefined) throw new Error('a pool has at least one endpoint');
    return endpoint;
  }

  get size(): number {
    return this.endpoints.length;
  }

  answered(endpoint: PooledEndpoint, region: string | null): void {
    endpoint.failures = 0;
    endpoint.restsUntilMs = 0;
    if (region !== null) endpoint.region = region;
  }

  failed(endpoint: PooledEndpoint): void {
    const restMs = Math.min(FIRST_REST_MS * 2 ** endpoint.failures, LONGEST_REST_MS);
    endpoint.failures++;
    endpoint.restsUntilMs = this.nowMs() + restMs;
  }
}
