import { StateError } from '#contracts';
import { RecentMap } from './recent-map';

/** Subjects whose buckets are kept; one that is forgotten starts with a full bucket again. */
const REMEMBERED_BUCKETS = 20_000;

interface Bucket {
  tokens: number;
  refilledMs: number;
}

/** Token buckets that hold one second's worth: a burst of `qps`, then `qps` a second. */
export class RateLimiter {
  private readonly buckets = new RecentMap<string, Bucket>(REMEMBERED_BUCKETS);

  /** Takes one request off a subject's bucket; throws `rate_limited` with the seconds until there is one again. */
  take(subject: string, qps: number, nowMs: number): void {
    const bucket = this.refilled(subject, qps, nowMs);
    refuseEmpty(bucket, qps);
    bucket.tokens -= 1;
  }

  /** Throws as {@link take} does, and takes nothing. */
  check(subject: string, qps: number, nowMs: number): void {
    refuseEmpty(this.refilled(subject, qps, nowMs), qps);
  }

  /** Takes one, or what is left of one: for what has happened already. */
  spend(subject: string, qps: number, nowMs: number): void {
    const bucket = this.refilled(subject, qps, nowMs);
    bucket.tokens = Math.max(0, bucket.tokens - 1);
  }

  private refilled(subject: string, qps: number, nowMs: number): Bucket {
    const burst = Math.max(1, qps);
    let bucket = this.buckets.get(subject);
    if (!bucket) {
      bucket = { tokens: burst, refilledMs: nowMs };
      this.buckets.set(subject, bucket);
    }
    const elapsedSeconds = Math.max(0, nowMs - bucket.refilledMs) / 1_000;
    bucket.tokens = Math.min(burst, bucket.tokens + elapsedSeconds * qps);
    bucket.refilledMs = nowMs;
    return bucket;
  }
}

function refuseEmpty(bucket: Bucket, qps: number): void {
  if (bucket.tokens >= 1) return;
  const waitSeconds = qps > 0 ? (1 - bucket.tokens) / qps : 60;
  throw new StateError('rate_limited', `More than ${qps} requests a second.`, { retry_after: waitSeconds });
}
