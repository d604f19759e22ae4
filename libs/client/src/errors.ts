import type { ResyncReason } from './watch/events.js';

/** Everything that this client throws, apart from an abort's own reason and a programmer's `TypeError`. */
export class AgentStateError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** What the server said of a request that it refused. */
export interface Problem {
  /** The HTTP status. */
  readonly status: number;
  /** What a program decides by; `undefined` when something else than a node answered. */
  readonly code?: string;
  /** What went wrong, for people. */
  readonly detail?: string;
  /** To tell the operator: it stands in the server's log, too. */
  readonly request_id?: string;
  /** After `invalid_request`: each wrong field, and why. */
  readonly errors?: readonly { readonly field: string; readonly reason: string }[];
  /** After `precondition_failed`: the version that is there; 0 for none. */
  readonly current_commit_seq?: number;
  /** After `compacted`: where the history begins now. */
  readonly first_available?: number;
  /** After `payload_too_large`: the most that is taken. */
  readonly limit_bytes?: number;
  /** After `region_not_allowed`: the region of the node that refused. */
  readonly region?: string;
  /** After `region_not_allowed`: where to ask. */
  readonly allowed_regions?: readonly string[];
  /** After `lease_held`: who holds it. */
  readonly owner?: string;
  /** After `lease_held`: until when, unless it is renewed; RFC 3339. */
  readonly expires_at?: string;
  /** Seconds, of the `Retry-After` header. */
  readonly retry_after?: number;
}

/** The server answered with an error. */
export class ApiError extends AgentStateError {
  /** The HTTP status. */
  readonly status: number;
  /** Empty when something else than a node answered. */
  readonly code: string;
  /** To tell the operator: it stands in the server's log, too. */
  readonly requestId: string | undefined;

  constructor(
    /** What the server said of it, with what its code promises. */
    readonly problem: Problem,
  ) {
    super(textOf(problem));
    this.status = problem.status;
    this.code = problem.code ?? '';
    this.requestId = problem.request_id;
  }
}

/** 400, 405, 415: the request itself is wrong; `problem.errors` names fields and reasons. */
export class InvalidRequestError extends ApiError {}
/** 401: there is no token, or it is not good. */
export class AuthenticationError extends ApiError {}
/** 403: the token does not grant the namespace or the operation. */
export class PermissionDeniedError extends ApiError {}
/** 404: there is no such object. */
export class NotFoundError extends ApiError {}
/** 409: the request contradicts the current state. */
export class ConflictError extends ApiError {}
/** 409 `fence_stale`: another owner has the lease now; stop. */
export class FenceStaleError extends ConflictError {}
/** 409 `lease_held`: another owner holds the lease. */
export class LeaseHeldError extends ConflictError {
  /** Who holds it. */
  get owner(): string | undefined {
    return this.problem.owner;
  }
  /** RFC 3339. */
  get expiresAt(): string | undefined {
    return this.problem.expires_at;
  }
}
/** 409 `lease_lost`: the lease expired or was taken over. */
export class LeaseLostError extends ConflictError {}
/** 410: that part of the history is gone. */
export class CompactedError extends ApiError {
  /** Where the history begins now. */
  get firstAvailable(): number | undefined {
    return this.problem.first_available;
  }
}
/** 412: `ifMatch` or `ifNoneMatch` does not hold. Never retried: somebody else was faster. */
export class PreconditionFailedError extends ApiError {
  /** The version that is there; 0 for none. */
  get currentCommitSeq(): number | undefined {
    return this.problem.current_commit_seq;
  }
}
/** 413: the request is larger than `problem.limit_bytes`. */
export class PayloadTooLargeError extends ApiError {}
/** 422: the idempotency key was used with another payload. */
export class IdempotencyKeyReusedError extends ApiError {}
/** 429: more requests or watchers than allowed. */
export class RateLimitedError extends ApiError {}
/** 451: the namespace or the token is not good in that node's region; `problem.allowed_regions` says where. */
export class RegionNotAllowedError extends ApiError {}
/** 503: the node cannot serve at the moment; nothing happened. */
export class UnavailableError extends ApiError {}
/** 504, 408: the outcome is unknown; asking again with the same idempotency key tells. */
export class OutcomeUnknownError extends ApiError {}
/** 507: too little disk space for writes; reads and deletes go on. */
export class StorageFullError extends ApiError {}
/** 500 and everything that is none of the above. */
export class ServerError extends ApiError {}

/** No answer: the connection failed or broke, and retries did not help. Whether a write happened is unknown. */
export class ConnectionError extends AgentStateError {}
/** No answer in time. Whether a write happened is unknown. */
export class TimeoutError extends ConnectionError {}
/** An answer that no node gives: a redirect, broken JSON, an endless line. Look at what stands in between. */
export class ProtocolError extends AgentStateError {}
/** The client was configured or called wrongly. */
export class ConfigurationError extends AgentStateError {}

/**
 * A watch could not simply go on. After `overflow` (this program is too slow) nothing is lost when it watches again
 * `after` {@link position}; after `compacted` the history is gone, and the way on is to watch with `initial: true`.
 */
export class ResyncRequired extends AgentStateError {
  constructor(
    /** Whether this program is too slow, or the history is gone. */
    readonly reason: ResyncReason,
    /** The last position that was delivered; 0 when there was none. */
    readonly position: number,
    /** Where the history begins now; only after `compacted`. */
    readonly firstAvailable?: number,
  ) {
    super(
      reason === 'overflow'
        ? `this watcher is too slow; watch again after position ${position}, nothing is lost`
        : `the history after position ${position} is gone; watch again with initial: true`,
    );
  }
}

type ApiErrorClass = new (problem: Problem) => ApiError;

const BY_CODE: Readonly<Record<string, ApiErrorClass>> = {
  fence_stale: FenceStaleError,
  lease_held: LeaseHeldError,
  lease_lost: LeaseLostError,
};
const BY_STATUS: Readonly<Record<number, ApiErrorClass>> = {
  400: InvalidRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  405: InvalidRequestError,
  408: OutcomeUnknownError,
  409: ConflictError,
  410: CompactedError,
  412: PreconditionFailedError,
  413: PayloadTooLargeError,
  415: InvalidRequestError,
  422: IdempotencyKeyReusedError,
  429: RateLimitedError,
  451: RegionNotAllowedError,
  503: UnavailableError,
  504: OutcomeUnknownError,
  507: StorageFullError,
};

/** The class that a program can catch, by the problem's code and status. */
export function apiError(problem: Problem): ApiError {
  const Class = BY_CODE[problem.code ?? ''] ?? BY_STATUS[problem.status] ?? ServerError;
  return new Class(problem);
}

function textOf({ status, code, detail, request_id: requestId }: Problem): string {
  const what = detail ?? 'the answer does not come from an AgentState node';
  return `${status} ${code ?? ''}${code === undefined ? '' : ': '}${what}${
    requestId === undefined ? '' : ` (request ${requestId})`
  }`;
}
