import { Command } from 'commander';
import { createSigner } from 'fast-jwt';
import { type Terminal, UsageError } from '../terminal';
import { type Capability, commaList, namespaces, OPERATIONS, operations } from './capability';
import { durationSeconds } from './duration';
import { type KeyOptions, mintingKey } from './signing-keys';

interface MintOptions extends KeyOptions {
  readonly ns: string;
  readonly ops: string;
  readonly ttl: string;
  readonly regions?: string;
  readonly jti?: string;
  readonly maxQps?: string;
  readonly maxBytes?: string;
}

const HELP = `
What a token does not grant is denied. Administration needs --ns admin://global --ops ADMIN.
--ns, --ops and --regions may be given several times. A --ttl without a unit is seconds.
The token is the only thing on stdout.

Examples:
  $ export CAP_KEY_ACTIVE="$(openssl rand -base64 32)"
  $ agentstate token mint --ns agent://production --ops PUT,GET,DELETE,WATCH --ttl 12h
  $ agentstate token mint --ns 'agent://team-*' --ops GET,WATCH --regions us-west-2,us-east-1
  $ TOKEN="$(agentstate token mint --ns agent://production --ops GET)"
  $ curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/v1/agent%3A%2F%2Fproduction/objects
`;

export function mintCommand(terminal: Terminal): Command {
  const command = new Command('mint')
    .description('sign a capability token')
    .requiredOption('--ns <namespaces>', 'namespaces, comma-separated; a trailing * matches a prefix', joined)
    .requiredOption('--ops <operations>', `comma-separated, of ${OPERATIONS.join(', ')}`, joined)
    .option('--ttl <time>', 'how long it is good: 3600, 30m, 12h or 7d', '1h')
    .option(
      '--regions <regions>',
      'good only at nodes of these regions, comma-separated (default: any)',
      joined,
    )
    .option('--jti <id>', 'the name of the token, for logs and limits')
    .option('--max-qps <n>', 'most requests per second')
    .option('--max-bytes <n>', 'most bytes of one request')
    .option('--key <base64>', 'the key, instead of CAP_KEY_ACTIVE (other users can see a command line)')
    .option('--kid <id>', 'the name of the key (default: CAP_KEY_ACTIVE_ID, or "active")')
    .addHelpText('after', HELP)
    .action((options: MintOptions) => {
      terminal.out(`${mint(options, terminal)}\n`);
    });
  refuseRepetitions(command);
  return command;
}

/** An option that is a list goes on when it is given again. */
function joined(list: string, before: string | undefined): string {
  return before === undefined ? list : `${before},${list}`;
}

/** Of an option that is one value the last would count, and the token would not be what the others ask for. */
function refuseRepetitions(command: Command): void {
  for (const option of command.options.filter(({ parseArg }) => parseArg === undefined)) {
    let isGiven = false;
    command.on(`option:${option.name()}`, () => {
      if (isGiven) throw new UsageError(`--${option.name()} is given more than once: it takes one value`);
      isGiven = true;
    });
  }
}

function mint(options: MintOptions, terminal: Terminal): string {
  const issuedAt = Math.floor(terminal.nowMs() / 1000);
  const capability: Capability = {
    ns: namespaces(options.ns),
    ops: operations(options.ops),
    iat: issuedAt,
    exp: issuedAt + durationSeconds(options.ttl, '--ttl'),
    ...(options.regions !== undefined && { regions: commaList(options.regions, '--regions') }),
    ...(options.maxBytes !== undefined && { max_bytes: wholeNumber(options.maxBytes, '--max-bytes') }),
    ...(options.maxQps !== undefined && { max_qps: wholeNumber(options.maxQps, '--max-qps') }),
    ...(options.jti !== undefined && { jti: options.jti }),
  };
  const { kid, secret } = mintingKey(options, terminal.environment);
  return createSigner({ algorithm: 'HS256', key: secret, kid })({ ...capability });
}

function wholeNumber(text: string, option: string): number {
  const value = Number(text);
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: ${JSON.stringify(text)} is not a whole number of at least 1`);
  }
  return value;
}
