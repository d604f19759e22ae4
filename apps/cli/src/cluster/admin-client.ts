import type { ApiError } from '#client';
import { type Manner, tokenAdvice, withClient } from '../client/connection';
import type { Terminal } from '../terminal';

/** Where a node answers, and with what it is asked. */
export interface ClientOptions {
  readonly endpoint?: string;
  readonly token?: string;
}

/** Enough to get past a node that is away; a person may ask again. A `POST` could happen twice, and is sent once. */
const RETRY = { maxRetries: 2 };
const ONCE = { maxRetries: 0 };

/** Administration over HTTP: asks one node, and turns what goes wrong into what to do about it. */
export class AdminClient {
  constructor(
    private readonly options: ClientOptions,
    private readonly terminal: Terminal,
  ) {}

  /** The answer's JSON; throws a {@link CommandFailure} when it is an error, or none. */
  async send(method: string, path: string, body?: object, timeoutMs?: number): Promise<unknown> {
    const manner: Manner = {
      retry: method === 'POST' ? ONCE : RETRY,
      advice: adviceFor,
      ...(timeoutMs !== undefined && { timeoutMs }),
    };
    const { json } = await withClient(
      this.options,
      this.terminal,
      (client) => client.request(method, path, { ...(body && { body }) }),
      manner,
    );
    return json ?? {};
  }
}

function adviceFor({ code, status }: ApiError): string | undefined {
  if (status === 401 || status === 403) return tokenAdvice('--ns admin://global --ops ADMIN');
  return code === 'timeout'
    ? '\nLook at agentstate cluster status before asking again: it may have happened.'
    : undefined;
}
