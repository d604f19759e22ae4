import { RateLimiter } from './rate-limiter';

/**
 * Refused tokens of each address. Past the limit none of that address is checked any more, so that guessing costs
 * the server no HMAC and fills no log; tokens that were checked before are remembered and go on.
 */
export class AuthFailures {
  private readonly limiter = new RateLimiter();

  constructor(private readonly limitQps: number) {}

  /** Throws `rate_limited` while the address has used up its failures. */
  checkAddress(address: string | undefined, nowMs: number): void {
    if (this.limitQps > 0) this.limiter.check(address ?? '', this.limitQps, nowMs);
  }

  count(address: string | undefined, nowMs: number): void {
    if (this.limitQps > 0) this.limiter.spend(address ?? '', this.limitQps, nowMs);
  }
}
