import type { ErrorCode } from '#contracts';

/** The HTTP status and the title of each code: the one place where either is chosen. `docs/errors.md` says more. */
export const STATUS_TABLE: Readonly<Record<ErrorCode, { readonly status: number; readonly title: string }>> =
  {
    invalid_request: { status: 400, title: 'The request is not valid' },
    invalid_json: { status: 400, title: 'The body is not JSON' },
    token_missing: { status: 401, title: 'A token is required' },
    token_malformed: { status: 401, title: 'The token is malformed' },
    token_expired: { status: 401, title: 'The token has expired' },
    token_unknown_key: { status: 401, title: 'The token names an unknown key' },
    token_bad_signature: { status: 401, title: 'The signature of the token is wrong' },
    namespace_denied: { status: 403, title: 'The namespace is not granted' },
    operation_denied: { status: 403, title: 'The operation is not granted' },
    not_found: { status: 404, title: 'Not found' },
    method_not_allowed: { status: 405, title: 'The method is not allowed here' },
    unsupported_media_type: { status: 415, title: 'The content type is not supported' },
    fence_stale: { status: 409, title: 'The fencing token is stale' },
    lease_held: { status: 409, title: 'The lease is held by another owner' },
    lease_lost: { status: 409, title: 'The lease was lost' },
    conflict: { status: 409, title: 'The request conflicts with the current state' },
    compacted: { status: 410, title: 'That part of the history is gone' },
    precondition_failed: { status: 412, title: 'A precondition does not hold' },
    payload_too_large: { status: 413, title: 'The body is too large' },
    idempotency_key_reused: { status: 422, title: 'The idempotency key was used with another payload' },
    rate_limited: { status: 429, title: 'Too many requests' },
    too_many_watchers: { status: 429, title: 'Too many watchers' },
    region_not_allowed: { status: 451, title: 'Not allowed in this region' },
    no_leader: { status: 503, title: 'The group has no leader' },
    not_ready: { status: 503, title: 'The node is not ready' },
    overloaded: { status: 503, title: 'The node is overloaded' },
    draining: { status: 503, title: 'The node is shutting down' },
    timeout: { status: 504, title: 'The outcome is unknown' },
    storage_full: { status: 507, title: 'The storage is full' },
    internal: { status: 500, title: 'Internal error' },
  };

/** Seconds that a client should wait when the error itself does not say. */
export const RETRY_AFTER_SECONDS_DEFAULT = 1;

/** Statuses whose answers always carry `Retry-After`. */
export const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 503]);
