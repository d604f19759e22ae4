import type { CallOptions } from '../request-options.js';

/** How a lease is asked for. */
export interface LeaseOptions extends CallOptions {
  /** Seconds until it ends unless it is renewed, which happens by itself. Default 30. */
  readonly ttlSeconds?: number;
  /** Who holds it; default a random name for each call. */
  readonly owner?: string;
  /** Milliseconds to wait for another holder to let it go; default 0: `LeaseHeldError` at once. */
  readonly waitMs?: number;
}
