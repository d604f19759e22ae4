import type { Fence } from './lease/fence.js';

/** What every call takes. */
export interface CallOptions {
  /** Ends the call with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Sent as `X-Request-Id`, and found again in the server's log. */
  readonly requestId?: string;
}

/** What every read takes. */
export interface ReadOptions extends CallOptions {
  /**
   * `linearizable` (the default) sees every write that was answered before; `stale` is answered by the nearest
   * replica at once. In a session the default is `stale`, but never older than what the session has seen.
   */
  readonly consistency?: 'linearizable' | 'stale';
  /** With `stale`: waits until the replica has come to this position. */
  readonly minSeq?: number;
}

/** The moment to read at: a position, or a time (RFC 3339). */
export interface GetOptions extends ReadOptions {
  /** The object as it was after the write at this position. */
  readonly atSeq?: number;
  /** The object as it was at this time. */
  readonly at?: Date | string;
}

/** What a batch takes. Its operations have their conditions themselves. */
export interface BatchOptions extends CallOptions {
  /** The write happens only while this lease is held; else `FenceStaleError`. */
  readonly lease?: Fence;
  /** One logical write; by default each call is one, and its retries have the same key. */
  readonly idempotencyKey?: string;
}

/** What every write of one object takes. */
export interface WriteOptions extends BatchOptions {
  /** The write happens only on this version; else `PreconditionFailedError`. */
  readonly ifMatch?: number;
  /** `'*'`: the write happens only if there is no such object; else `PreconditionFailedError`. */
  readonly ifNoneMatch?: '*';
}
