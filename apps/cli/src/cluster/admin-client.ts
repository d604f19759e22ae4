import { CommandFailure, type Terminal, UsageError } from '../terminal';

/** Where a node answers, and with what it is asked. */
export interface ClientOptions {
  readonly endpoint?: string;
  readonly token?: string;
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:8080';
/** Longer than a node takes to find out that another one does not answer. */
const TIMEOUT_MS = 15_000;

/** Administration over HTTP: asks one node, and turns what goes wrong into what to do about it. */
export class AdminClient {
  private readonly endpoint: string;
  private readonly token: string | undefined;

  constructor({ endpoint, token }: ClientOptions, { environment }: Terminal) {
    this.endpoint = checkEndpoint(endpoint ?? (environment['AGENTSTATE_ENDPOINT'] || DEFAULT_ENDPOINT));
    this.token = token ?? (environment['AGENTSTATE_TOKEN'] || undefined);
  }

  /** The answer's JSON; throws a {@link CommandFailure} when it is an error, or none. */
  async send(method: string, path: string, body?: object, timeoutMs = TIMEOUT_MS): Promise<unknown> {
    const { status, text } = await this.request(method, path, body, timeoutMs);
    if (status === 204) return {};
    const json = parse(text);
    if (status >= 200 && status < 300 && typeof json === 'object' && json !== null) return json;
    throw new CommandFailure(this.explain(status, json));
  }

  private async request(
    method: string,
    path: string,
    body: object | undefined,
    timeoutMs: number,
  ): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const response = await fetch(this.endpoint + path, {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw new CommandFailure(
        `no answer from ${this.endpoint} (${reasonOf(error, timeoutMs)}). Is the node running? ` +
          'Ask another one with --endpoint http://host:port or AGENTSTATE_ENDPOINT.',
      );
    }
  }

  private explain(status: number, json: unknown): string {
    const { code, detail } = (json ?? {}) as { readonly code?: unknown; readonly detail?: unknown };
    if (typeof code !== 'string' || typeof detail !== 'string') {
      return `${this.endpoint} answered ${status}, but not as an AgentState node does; check the endpoint.`;
    }
    return `${detail} (${code})${ADVICE[code] ?? (status === 401 || status === 403 ? TOKEN_ADVICE : '')}`;
  }
}

const TOKEN_ADVICE =
  '\nGive a token with --token or AGENTSTATE_TOKEN. The key that the nodes have makes one:\n' +
  '  AGENTSTATE_TOKEN="$(agentstate token mint --ns admin://global --ops ADMIN)"';
const ADVICE: Readonly<Record<string, string>> = {
  no_leader: '\nRetry in a moment; if it stays so, too few nodes are alive: see agentstate cluster status.',
  not_ready: '\nRetry in a moment, or ask another node with --endpoint.',
  draining: '\nAsk another node with --endpoint.',
  timeout: '\nLook at agentstate cluster status before asking again: it may have happened.',
};

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(
      `${JSON.stringify(text)} is no address of a node. Example: --endpoint ${DEFAULT_ENDPOINT}`,
    );
  }
  return text.replace(/\/+$/, '');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` says only "fetch failed"; why stands in the cause. */
function reasonOf(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: NodeJS.ErrnoException };
  if (name === 'TimeoutError') return `nothing within ${timeoutMs / 1_000} s`;
  return cause?.code ?? cause?.message ?? String(error);
}
