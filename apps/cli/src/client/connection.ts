import { type Command, Option } from 'commander';
import {
  ApiError,
  AuthenticationError,
  Client,
  ConfigurationError,
  ConnectionError,
  PermissionDeniedError,
  ProtocolError,
  ResyncRequired,
  type RetryOptions,
} from '#client';
import { CommandFailure, type Terminal, UsageError } from '../terminal';

/** The options that every command of a client has. */
export interface ConnectionOptions {
  readonly endpoint?: string;
  readonly token?: string;
  readonly output?: 'table' | 'json';
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:8080';
/** A person waits: fewer retries than a program makes, still enough for an election. */
const RETRY = { maxRetries: 6 };

/** Adds them to a command. */
export function connecting(command: Command): Command {
  return command
    .option(
      '--endpoint <url>',
      `a node, or several with commas (default: AGENTSTATE_ENDPOINT, or ${DEFAULT_ENDPOINT})`,
    )
    .option('--token <token>', 'instead of AGENTSTATE_TOKEN (other users can see a command line)')
    .addOption(
      new Option('--output <format>', 'default: table on a terminal, JSON lines when piped').choices([
        'table',
        'json',
      ]),
    );
}

/** Whether a person reads what is printed. */
export const forPeople = ({ output }: ConnectionOptions, terminal: Terminal): boolean =>
  output === undefined ? terminal.isInteractive === true : output === 'table';

/** How a command asks, where it is not as most do. */
export interface Manner {
  readonly retry?: RetryOptions;
  /** Milliseconds until one attempt counts as failed. */
  readonly timeoutMs?: number;
  /** What to do about a refusal; `undefined` where it is the same as always. */
  readonly advice?: (error: ApiError) => string | undefined;
}

/** Runs `work` with a client; what goes wrong becomes a text that says what to do. */
export async function withClient<Result>(
  { endpoint, token }: ConnectionOptions,
  { environment }: Terminal,
  work: (client: Client) => Promise<Result>,
  { advice, ...manner }: Manner = {},
): Promise<Result> {
  const where = endpoint ?? (environment['AGENTSTATE_ENDPOINT'] || DEFAULT_ENDPOINT);
  const proof = token ?? (environment['AGENTSTATE_TOKEN'] || environment['AGENTSTATE_API_KEY'] || null);
  try {
    return await work(new Client({ endpoints: where, token: proof, retry: RETRY, ...manner }));
  } catch (error) {
    throw explained(error, where, advice);
  }
}

function explained(error: unknown, where: string, advice: Manner['advice']): unknown {
  if (error instanceof ConfigurationError)
    return new UsageError(`${error.message}. See --endpoint and --token.`);
  if (error instanceof ConnectionError) {
    return new CommandFailure(
      `${error.message}. Is the node running? Ask another one with --endpoint http://host:port or AGENTSTATE_ENDPOINT.`,
    );
  }
  if (error instanceof ProtocolError) return new CommandFailure(`${error.message} (endpoint ${where})`);
  if (error instanceof ResyncRequired) {
    const { reason, position } = error;
    return new CommandFailure(
      reason === 'overflow'
        ? `the output is read too slowly; go on with --after ${position}, nothing is lost`
        : `the history after ${position} is gone; watch with --initial to begin with the current state`,
    );
  }
  if (!(error instanceof ApiError)) return error;
  const { code, problem } = error;
  if (code === '')
    return new CommandFailure(
      `${where} answered ${error.status}, but not as a node does; check the endpoint.`,
    );
  const fields = (problem.errors ?? []).map(({ field, reason }) => `\n  ${field}: ${reason}`).join('');
  return new CommandFailure(
    `${problem.detail ?? ''} (${code})${fields}${advice?.(error) ?? adviceFor(error)}`,
  );
}

/** How to come by a token with these grants. */
export const tokenAdvice = (grants: string): string =>
  '\nGive a token with --token or AGENTSTATE_TOKEN. The key that the nodes have makes one:\n' +
  `  AGENTSTATE_TOKEN="$(agentstate token mint ${grants})"`;

function adviceFor(error: ApiError): string {
  const { code, problem } = error;
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError) {
    return tokenAdvice('--ns agent://demo --ops PUT,GET,DELETE,WATCH,LEASE');
  }
  switch (code) {
    case 'precondition_failed':
      return `\nThe version now is ${problem.current_commit_seq ?? 'another one'} (0: there is none). Read, merge, try again.`;
    case 'lease_held':
      return `\n${problem.owner ?? 'Another owner'} holds it until ${problem.expires_at ?? 'it is released'}.`;
    case 'region_not_allowed':
      return `\nAsk a node of ${problem.allowed_regions?.join(' or ') ?? 'another region'} with --endpoint.`;
    case 'no_leader':
      return '\nRetry in a moment; if it stays so, too few nodes are alive: see agentstate cluster status.';
    case 'not_ready':
    case 'draining':
      return '\nAsk another node with --endpoint.';
    case 'timeout':
      return '\nRead the object before asking again: it may have happened.';
    default:
      return '';
  }
}
