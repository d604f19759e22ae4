import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { CommandFailure, type Terminal } from '../terminal';
import { explainToken, readToken } from './inspected-token';
import { type KeyOptions, signingKeys } from './signing-keys';

interface InspectOptions extends KeyOptions {
  readonly output: 'text' | 'json';
}

const HELP = `
The signature is checked when the key is at hand: CAP_KEY_ACTIVE, CAP_KEY_NEXT, or --key.
Exit code 1 when a server would refuse the token for a reason that can be seen here.

Examples:
  $ agentstate token inspect "$TOKEN"
  $ echo "$TOKEN" | agentstate token inspect -
  $ agentstate token inspect --output json "$TOKEN"
`;

export function inspectCommand(terminal: Terminal): Command {
  return new Command('inspect')
    .description('say what a token grants, and whether it is good')
    .argument('<token>', 'the token, or - to read it from standard input')
    .addOption(new Option('--output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .option('--key <base64>', 'check the signature with this key')
    .option('--kid <id>', 'the name of that key')
    .addHelpText('after', HELP)
    .action((argument: string, options: InspectOptions) => {
      const text = (argument === '-' ? readFileSync(0, 'utf8') : argument).trim();
      const token = readToken(text, signingKeys(options, terminal.environment), terminal.nowMs());
      terminal.out(
        options.output === 'json'
          ? `${JSON.stringify(token, null, 2)}\n`
          : explainToken(token, terminal.nowMs()),
      );
      if (token.problems.length > 0)
        throw new CommandFailure(`a server refuses it: ${token.problems.join('; ')}`);
    });
}
