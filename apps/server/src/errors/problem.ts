import { type ErrorExtras, StateError } from '#contracts';
import { RETRY_AFTER_SECONDS_DEFAULT, RETRYABLE_STATUSES, STATUS_TABLE } from './status-table';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** An answer of `application/problem+json` (RFC 9457), ready to be sent. */
export interface Problem {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly json: string;
}

/** Errors that name what a `405` must: the methods that the resource does have (RFC 9110, section 15.5.6). */
export class MethodNotAllowed extends StateError {
  constructor(readonly allowedMethods: readonly string[]) {
    super('method_not_allowed', `This resource has only the methods ${allowedMethods.join(', ')}.`);
  }
}

/** Renders an error; `requestId` goes along so that an operator can find the request in the log. */
export function problemOf(error: StateError, requestId: string): Problem {
  const { status, title } = STATUS_TABLE[error.code];
  const { retry_after: retryAfter, ...members } = error.extras;
  const headers: [string, string][] = [['content-type', PROBLEM_CONTENT_TYPE]];
  if (retryAfter !== undefined || RETRYABLE_STATUSES.has(status)) {
    headers.push(['retry-after', String(Math.max(1, Math.ceil(retryAfter ?? RETRY_AFTER_SECONDS_DEFAULT)))]);
  }
  if (status === 401) headers.push(['www-authenticate', 'Bearer']);
  if (error instanceof MethodNotAllowed) headers.push(['allow', error.allowedMethods.join(', ')]);
  const json = JSON.stringify({
    type: `urn:agentstate:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...({ ...members, moved: undefined } satisfies ErrorExtras),
  });
  return { status, headers, json };
}

/** One wrong field of a request. */
export function invalidField(field: string, reason: string): StateError {
  return new StateError('invalid_request', `${field}: ${reason}`, { errors: [{ field, reason }] });
}
