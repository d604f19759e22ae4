/**
 * The error codes that clients see, each with one meaning. `docs/errors.md` lists them all, and a test compares.
 * The HTTP status of a code is chosen in one place, the server's exception filter.
 */
export const ERROR_CODES = [
  'invalid_request',
  'invalid_json',
  'token_missing',
  'token_malformed',
  'token_expired',
  'token_unknown_key',
  'token_bad_signature',
  'namespace_denied',
  'operation_denied',
  'not_found',
  'method_not_allowed',
  'unsupported_media_type',
  'fence_stale',
  'lease_held',
  'lease_lost',
  'conflict',
  'compacted',
  'precondition_failed',
  'payload_too_large',
  'idempotency_key_reused',
  'rate_limited',
  'too_many_watchers',
  'region_not_allowed',
  'no_leader',
  'not_ready',
  'overloaded',
  'draining',
  'timeout',
  'storage_full',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** One field of a request and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly reason: string;
}

/** What a code promises to carry beside its text, in the names that go on the wire. */
export interface ErrorExtras {
  readonly errors?: readonly FieldError[];
  readonly first_available?: number;
  readonly current_commit_seq?: number;
  readonly limit_bytes?: number;
  readonly region?: string;
  readonly allowed_regions?: readonly string[];
  readonly owner?: string;
  readonly expires_at?: string;
  /** Between nodes alone: the group does not serve the namespace (any more); its route is to be looked up again. */
  readonly moved?: true;
  /** Seconds; sent as the `Retry-After` header. */
  readonly retry_after?: number;
}

/** An operating error with a code. Programmer errors are plain `Error`s and end as `internal`. */
export class StateError extends Error {
  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly extras: ErrorExtras = {},
    options?: { cause?: unknown },
  ) {
    super(detail, options);
    this.name = 'StateError';
  }
}
