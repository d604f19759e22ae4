import { HttpException } from '@nestjs/common';
import { type ErrorCode, StateError } from '#contracts';

/** Fastify's own error codes that a client can cause, and what they are here. */
const FASTIFY_CODES: Readonly<Record<string, readonly [code: ErrorCode, detail: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'The body must be JSON, with Content-Type: application/json.',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body ended before its Content-Length.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is too large.'],
  FST_ERR_BAD_URL: ['invalid_request', 'The path is not a well-formed, percent-encoded URL path.'],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid_request', 'A segment of the path is too long.'],
  FST_ERR_NOT_FOUND: ['not_found', 'There is nothing at this path.'],
};

/**
 * What an error is to the client. Anything that is not known is `internal`, with the original as its cause and
 * nothing of it in the answer: messages of unknown errors may hold paths or secrets.
 */
export function stateErrorOf(error: unknown): StateError {
  if (error instanceof StateError) return error;
  if (error instanceof HttpException && error.getStatus() === 404) {
    return new StateError('not_found', 'There is nothing at this path.');
  }
  const known = FASTIFY_CODES[String((error as { code?: unknown } | undefined)?.code)];
  if (known) return new StateError(known[0], known[1]);
  return new StateError(
    'internal',
    'The server failed to answer. The operator finds the cause by the request id.',
    {},
    {
      cause: error,
    },
  );
}
