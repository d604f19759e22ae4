import { HttpException } from '@nestjs/common';
import { type ErrorCode, StateError } from '#contracts';

/** What Fastify refuses by itself, by its status: Nest hands its errors on with nothing else that is sure. */
const BY_STATUS: Readonly<Record<number, readonly [code: ErrorCode, detail: string]>> = {
  400: ['invalid_request', 'The request is not well-formed: its path, its length or its encoding.'],
  404: ['not_found', 'There is nothing at this path.'],
  413: ['payload_too_large', 'The body is too large.'],
  414: ['invalid_request', 'The path is too long.'],
  415: ['unsupported_media_type', 'The body must be JSON, with Content-Type: application/json.'],
};

/**
 * What an error is to the client. Anything that is not known is `internal`, with the original as its cause and
 * nothing of it in the answer: messages of unknown errors may hold paths or secrets.
 */
export function stateErrorOf(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const known = BY_STATUS[statusOf(error) ?? 0];
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

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const isFastify = String((error as { code?: unknown } | undefined)?.code).startsWith('FST_ERR_');
  return isFastify ? (error as { statusCode?: number }).statusCode : undefined;
}
