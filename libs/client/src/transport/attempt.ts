import { apiError, ConnectionError, type Problem, ProtocolError, TimeoutError } from '../errors.js';
import type { Settings } from '../options.js';
import type { PooledEndpoint } from './endpoint-pool.js';
import { bodyText, discard, retryAfterSeconds } from './response-body.js';
import { reasonOf } from './waiting.js';

/** A request before it is known which node gets it. */
export interface OutgoingRequest {
  readonly method: string;
  /** From `/v1` on, encoded, with its query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** Problems are small; something that answers an error with more is not a node. */
const MAX_PROBLEM_BYTES = 1024 * 1024;

/**
 * Sends a request to one node, once. Resolves with an answer whose status is 2xx; throws the typed error of any
 * other, a {@link ConnectionError} when there is none, and the signal's reason when that was aborted.
 *
 * Redirects are not followed: a node never sends one, and the token must not go where an answer says.
 */
export async function attempt(
  settings: Settings,
  endpoint: PooledEndpoint,
  { method, path, headers, body }: OutgoingRequest,
  signal: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await settings.fetch(endpoint.url + path, {
      method,
      headers,
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    throw connectionError(endpoint, error, signal);
  }
  if (response.status >= 200 && response.status < 300) return response;
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    discard(response);
    throw new ProtocolError(redirectText(endpoint, response));
  }
  throw await refusal(endpoint, response, signal);
}

/** `fetch` says only that it failed; why stands in the cause. */
export function connectionError(endpoint: PooledEndpoint, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return reasonOf(signal);
  if (error instanceof ProtocolError || error instanceof ConnectionError) return error;
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
  const why = cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : 'unknown');
  return new ConnectionError(`no answer from ${endpoint.url} (${String(why)})`, { cause: error });
}

export const timeoutError = (endpoint: PooledEndpoint, timeoutMs: number): TimeoutError =>
  new TimeoutError(`no answer from ${endpoint.url} within ${timeoutMs} ms`);

async function refusal(endpoint: PooledEndpoint, response: Response, signal: AbortSignal): Promise<Error> {
  let text: string;
  try {
    text = await bodyText(response, MAX_PROBLEM_BYTES);
  } catch (error) {
    if (error instanceof ProtocolError) return apiError({ status: response.status });
    return connectionError(endpoint, error, signal);
  }
  return apiError({ ...problemOf(text), ...standing(response) });
}

/** What the headers say counts, whatever the body is. */
function standing({ status, headers }: Response): Problem {
  const retryAfter = retryAfterSeconds(headers.get('retry-after'));
  const requestId = headers.get('x-request-id');
  return {
    status,
    ...(requestId !== null && { request_id: requestId }),
    ...(retryAfter !== undefined && { retry_after: retryAfter }),
  };
}

function problemOf(text: string): Partial<Problem> {
  try {
    const problem = JSON.parse(text) as Partial<Problem> | null;
    return typeof problem?.code === 'string' ? problem : {};
  } catch {
    return {};
  }
}

function redirectText(endpoint: PooledEndpoint, response: Response): string {
  const location = response.headers.get('location');
  let where = '';
  try {
    if (location !== null) where = ` to ${new URL(location, endpoint.url).origin}`;
  } catch {
    // A place that is no URL need not be named.
  }
  return `${endpoint.url} redirects${where}, which is not followed; give the address of a node as the endpoint`;
}
