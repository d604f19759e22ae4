import { ConfigurationError } from './errors.js';

/** The address of a node, and its region where that is known; regions are also learnt from answers. */
export interface Endpoint {
  /** For instance `http://127.0.0.1:8080`. */
  readonly url: string;
  /** As in the node's `REGION`. */
  readonly region?: string;
}

/** How often and when a request is sent again. Only what may be repeated safely is. */
export interface RetryOptions {
  /** Further attempts after the first; default 8, 0 for none. */
  readonly maxRetries?: number;
  /** Milliseconds before the first retry, doubled each time; half of it is chance. Default 100. */
  readonly baseDelayMs?: number;
  /** The longest such wait in milliseconds; default 2,000. */
  readonly maxDelayMs?: number;
  /** A longer `Retry-After` than this is not waited for, but thrown; milliseconds, default 60,000. */
  readonly maxRetryAfterMs?: number;
}

/** Everything that can be said about a client; all of it has a default. */
export interface ClientOptions {
  /**
   * The nodes to ask, in order of preference. Default: `AGENTSTATE_ENDPOINT` (separated by commas), else
   * `http://127.0.0.1:8080`.
   */
  readonly endpoints?: string | readonly (string | Endpoint)[];
  /** Nodes of this region are asked first. */
  readonly region?: string;
  /**
   * The capability, or what gives a current one before each request. Default: `AGENTSTATE_TOKEN`, else
   * `AGENTSTATE_API_KEY`; `null` sends none.
   */
  readonly token?: string | null | (() => string | Promise<string>);
  /** Milliseconds until one attempt counts as failed; default 15,000. */
  readonly timeoutMs?: number;
  /** How often and when a request is sent again. */
  readonly retry?: RetryOptions;
  /**
   * Reads may be answered by the nearest replica, which is faster, but never with less than this client has written
   * and read before.
   */
  readonly session?: boolean;
  /** Instead of the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** The largest answer that is read, in bytes; default 256 MiB. */
  readonly maxResponseBytes?: number;
}

/** The options with their defaults. */
export interface Settings {
  readonly endpoints: readonly Endpoint[];
  readonly region: string | undefined;
  readonly token: () => string | undefined | Promise<string>;
  readonly timeoutMs: number;
  readonly retry: Required<RetryOptions>;
  readonly fetch: typeof globalThis.fetch;
  readonly maxResponseBytes: number;
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:8080';
const DEFAULT_RETRY: Required<RetryOptions> = {
  maxRetries: 8,
  baseDelayMs: 100,
  maxDelayMs: 2_000,
  maxRetryAfterMs: 60_000,
};
/** What an HTTP header can carry of a token (RFC 6750, section 2.1). */
const TOKEN = /^[\x21-\x7e]+$/;

/** Fills in the defaults; what is wrong is told here, before any request. */
export function settingsOf(options: ClientOptions): Settings {
  return {
    endpoints: endpointsOf(options.endpoints ?? (environment('AGENTSTATE_ENDPOINT') || DEFAULT_ENDPOINT)),
    region: options.region,
    token: tokenOf(options.token),
    timeoutMs: options.timeoutMs ?? 15_000,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    fetch: fetchOf(options.fetch),
    maxResponseBytes: options.maxResponseBytes ?? 256 * 1024 * 1024,
  };
}

/**
 * The global one is looked up at each call, so that one that is put there later, as tracing tools do, is used. One that
 * was given is called by itself: browsers and edge runtimes refuse theirs as a method of another object.
 */
const fetchOf = (given: typeof globalThis.fetch | undefined): typeof globalThis.fetch =>
  given === undefined ? (input, init) => globalThis.fetch(input, init) : (input, init) => given(input, init);

function endpointsOf(given: string | readonly (string | Endpoint)[]): readonly Endpoint[] {
  const list = typeof given === 'string' ? given.split(',') : given;
  const endpoints = list.map((one) => {
    const { url, ...rest } = typeof one === 'string' ? { url: one } : one;
    return { ...rest, url: checkedUrl(url.trim()) };
  });
  if (endpoints.length === 0) throw new ConfigurationError('a client needs at least one endpoint');
  return endpoints;
}

function checkedUrl(text: string): string {
  const url = parsed(text);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigurationError(
      `${JSON.stringify(withoutCredentials(text))} is no address of a node, such as ${DEFAULT_ENDPOINT}`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigurationError(`the endpoint at ${url.host} has a password in it; tokens go into "token"`);
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** `URL.canParse` is younger than some of the places where this runs. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

const withoutCredentials = (text: string): string => text.replace(/\/\/[^/@]*@/, '//…@');

function tokenOf(given: ClientOptions['token']): Settings['token'] {
  if (given === null) return () => undefined;
  if (typeof given === 'function') return async () => checkedToken(await given());
  const token = given ?? (environment('AGENTSTATE_TOKEN') || environment('AGENTSTATE_API_KEY'));
  if (token === undefined || token === '') return () => undefined;
  const checked = checkedToken(token);
  return () => checked;
}

/** `fetch` would refuse the same tokens, but repeat them in its error. */
function checkedToken(token: unknown): string {
  if (typeof token !== 'string' || !TOKEN.test(token)) {
    throw new ConfigurationError('the token has characters that no token has (a line end or a space?)');
  }
  return token;
}

/** A variable where there is an environment: browsers have none, and Deno may deny it. */
function environment(name: string): string | undefined {
  const host = globalThis as { readonly process?: { readonly env?: Record<string, string | undefined> } };
  try {
    return host.process?.env?.[name];
  } catch {
    return undefined;
  }
}
