import {
  AgentStateError,
  ApiError,
  ConnectionError,
  ProtocolError,
  RegionNotAllowedError,
  UnavailableError,
} from '../errors.js';
import type { Settings } from '../options.js';
import { attempt, connectionError, type OutgoingRequest, timeoutError } from './attempt.js';
import { EndpointPool, type PooledEndpoint } from './endpoint-pool.js';
import { bodyText } from './response-body.js';
import { backoffMs, wait } from './waiting.js';

/** An answer that was read. */
export interface Answer {
  /** The HTTP status, 2xx. */
  readonly status: number;
  /** As they were sent. */
  readonly headers: Headers;
  /** The parsed JSON; `undefined` where there was no body. */
  readonly json: unknown;
}

/** A stream that stands, and how its holder says what became of the connection. */
export interface OpenStream {
  readonly response: Response;
  /** The connection broke, or the node sends its streams away: ask another one first. */
  readonly failed: () => void;
}

interface Sent<Result> {
  readonly request: OutgoingRequest;
  readonly signal: AbortSignal | undefined;
  /** Reads what the attempt is for; it belongs to the attempt, with its timeout and its retries. */
  read(response: Response): Promise<Result>;
  /** The timeout ends with the headers: what follows may last. */
  readonly streams: boolean;
}

/** 408 and 504 leave the outcome open, which an idempotency key makes safe to ask again; 429 and 503 did nothing. */
const RETRIED = new Set([408, 429, 503, 504]);

/** Sends requests to whichever node answers, again where that is safe. One for all views of a client. */
export class Transport {
  private readonly pool: EndpointPool;

  constructor(private readonly settings: Settings) {
    this.pool = new EndpointPool(settings.endpoints, settings.region);
  }

  send(request: OutgoingRequest, signal?: AbortSignal): Promise<Answer> {
    const { maxResponseBytes } = this.settings;
    return this.run({
      request,
      signal,
      streams: false,
      read: async (response) => {
        const { status, headers } = response;
        const text = status === 204 ? '' : await bodyText(response, maxResponseBytes);
        return { status, headers, json: text === '' ? undefined : parsed(text) };
      },
    });
  }

  /** Opens a stream; reading it, and opening it again, is its holder's. */
  open(request: OutgoingRequest, signal: AbortSignal): Promise<OpenStream> {
    let from: PooledEndpoint | undefined;
    const failed = (): void => {
      if (from) this.pool.failed(from);
    };
    return this.run({
      request,
      signal,
      streams: true,
      read: (response) => Promise.resolve({ response, failed }),
      // The endpoint is known when the answer is.
      onEndpoint: (endpoint) => (from = endpoint),
    });
  }

  private async run<Result>(
    sent: Sent<Result> & { readonly onEndpoint?: (endpoint: PooledEndpoint) => void },
  ): Promise<Result> {
    const { retry } = this.settings;
    const refusedBy = new Set<PooledEndpoint>();
    let allowedRegions: readonly string[] | undefined;
    for (let retries = 0; ; retries++) {
      // When all that are left were excluded, the first choice is asked and its answer stands.
      const endpoint = this.pool.pick(refusedBy, allowedRegions) ?? this.pool.first;
      const authorized = await this.authorized(sent.request);
      try {
        const result = await this.once(endpoint, { ...sent, request: authorized });
        sent.onEndpoint?.(endpoint);
        return result;
      } catch (error) {
        this.note(endpoint, error);
        if (error instanceof RegionNotAllowedError) {
          // Not this node's fault, and no reason to wait: another region may serve it.
          refusedBy.add(endpoint);
          allowedRegions = error.problem.allowed_regions;
          if (this.pool.pick(refusedBy, allowedRegions) === undefined) throw error;
          continue;
        }
        if (!isRetried(error) || retries >= retry.maxRetries) throw error;
        const delayMs = this.delayMs(error, retries);
        if (delayMs === undefined) throw error;
        await wait(delayMs, sent.signal);
      }
    }
  }

  /** With the token of now: one that was given by a function may have been renewed since the last attempt. */
  private async authorized(request: OutgoingRequest): Promise<OutgoingRequest> {
    const token = await this.settings.token();
    if (token === undefined) return request;
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
  }

  /** Undefined when the server asks for more patience than the caller has. */
  private delayMs(error: unknown, retries: number): number | undefined {
    const { retry } = this.settings;
    const backoff = backoffMs(retries + 1, retry);
    const asked = error instanceof ApiError ? error.problem.retry_after : undefined;
    // Another node need not be waited for, whatever this one says of itself.
    const hasOthers = this.pool.size > 1 && !(error instanceof ApiError && error.status === 429);
    if (hasOthers && retries < this.pool.size - 1) return backoff / 10;
    if (asked === undefined) return backoff;
    const askedMs = asked * 1_000;
    return askedMs > retry.maxRetryAfterMs ? undefined : Math.max(askedMs, backoff) + Math.random() * 50;
  }

  private note(endpoint: PooledEndpoint, error: unknown): void {
    if (error instanceof ConnectionError || error instanceof UnavailableError) this.pool.failed(endpoint);
  }

  private async once<Result>(
    endpoint: PooledEndpoint,
    { request, signal, streams, ...sent }: Sent<Result>,
  ): Promise<Result> {
    const { settings } = this;
    const ended = new AbortController();
    let isLate = false;
    const onAbort = (): void => ended.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => {
      isLate = true;
      ended.abort(timeoutError(endpoint, settings.timeoutMs));
    }, settings.timeoutMs);
    let keepsListening = false;
    try {
      const response = await attempt(settings, endpoint, request, ended.signal);
      const result = await sent.read(response);
      keepsListening = streams;
      this.pool.answered(endpoint, response.headers.get('x-agentstate-region'));
      return result;
    } catch (error) {
      if (isLate) throw timeoutError(endpoint, settings.timeoutMs);
      throw error instanceof AgentStateError ? error : connectionError(endpoint, error, ended.signal);
    } finally {
      clearTimeout(timer);
      if (!keepsListening) signal?.removeEventListener('abort', onAbort);
    }
  }
}

const isRetried = (error: unknown): boolean =>
  error instanceof ConnectionError || (error instanceof ApiError && RETRIED.has(error.status));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError('the answer is not JSON, as a node would send it');
  }
}
