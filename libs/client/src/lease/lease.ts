/// <reference lib="esnext.disposable" preserve="true" />
import { ApiError, ConflictError, LeaseLostError } from '../errors.js';
import { wait } from '../transport/waiting.js';
import type { Fence } from './fence.js';

/** A lease as the server describes it. */
export interface LeaseRecord {
  /** What it is for. */
  readonly key: string;
  /** Who holds it. */
  readonly owner: string;
  /** The fencing number; it only grows from one holder to the next. */
  readonly token: number;
  /** RFC 3339. */
  readonly expires_at: string;
}

/** The requests that keep a lease. */
export interface LeaseRequests {
  renew(lease: LeaseRecord, ttlSeconds: number, signal: AbortSignal): Promise<LeaseRecord>;
  release(lease: LeaseRecord): Promise<void>;
}

/** Renewed with this part of the time left over twice: one renewal may fail. */
const RENEWALS_PER_TTL = 3;
const RETRY_MS = 250;

/**
 * A lease that is held, and renewed until it is released. Give it to writes (`{ lease }`) and they happen only while
 * it is held; work beside the store should stop when {@link signal} is aborted. It is never renewed past its end: by
 * the local clock it ends no later than on the server.
 */
export class Lease implements Fence, AsyncDisposable {
  private readonly losing = new AbortController();
  private readonly stopping = new AbortController();
  private readonly renewing: Promise<void>;

  constructor(
    private record: LeaseRecord,
    private readonly requests: LeaseRequests,
    private readonly ttlSeconds: number,
    /** When the request that got it was sent, by `performance.now()`. */
    askedMs: number,
  ) {
    this.renewing = this.renewUntilStopped(askedMs);
  }

  /** What it is for. */
  get key(): string {
    return this.record.key;
  }
  /** Who holds it. */
  get owner(): string {
    return this.record.owner;
  }
  /** The fencing number; it only grows from one holder to the next. */
  get token(): number {
    return this.record.token;
  }
  /** When the server lets it go unless it is renewed, RFC 3339. */
  get expiresAt(): string {
    return this.record.expires_at;
  }
  /** Aborted with a {@link LeaseLostError} or what else kept it from being renewed when the lease is lost. */
  get signal(): AbortSignal {
    return this.losing.signal;
  }
  /** Whether it is neither lost nor released. */
  get isHeld(): boolean {
    return !this.losing.signal.aborted && !this.stopping.signal.aborted;
  }

  /** Lets it go, so that others need not wait for its end. Resolves also when it was lost already. */
  async release(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort(new Error('the lease is released'));
    await this.renewing;
    if (this.losing.signal.aborted) return;
    try {
      await this.requests.release(this.record);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  private async renewUntilStopped(askedMs: number): Promise<void> {
    const ttlMs = this.ttlSeconds * 1_000;
    let endsMs = askedMs + ttlMs;
    let nextMs = askedMs + ttlMs / RENEWALS_PER_TTL;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await wait(Math.max(0, Math.min(nextMs, endsMs) - performance.now()), signal);
      } catch {
        return;
      }
      const sentMs = performance.now();
      if (sentMs >= endsMs) return this.lose(expired(this.record.key));
      // A request that outlasts the lease is given up: the lease ends then, whatever its answer would be.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(expired(this.record.key)), endsMs - sentMs);
      try {
        this.record = await this.requests.renew(this.record, this.ttlSeconds, late.signal);
        endsMs = sentMs + ttlMs;
        nextMs = sentMs + ttlMs / RENEWALS_PER_TTL;
      } catch (error) {
        if (error instanceof ApiError && !isPassing(error)) return this.lose(error);
        nextMs = performance.now() + RETRY_MS;
      } finally {
        clearTimeout(timer);
      }
    }
  }

  private lose(error: Error): void {
    this.losing.abort(error);
  }
}

const isPassing = ({ status }: ApiError): boolean => status === 408 || status === 429 || status >= 500;

const expired = (key: string): LeaseLostError =>
  new LeaseLostError({
    status: 409,
    code: 'lease_lost',
    detail: `the lease ${key} could not be renewed in time`,
  });
