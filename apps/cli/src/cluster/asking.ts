import { Command, Option } from 'commander';
import type { Terminal } from '../terminal';
import type { ClientOptions } from './admin-client';

/** What every command that asks a node takes. */
export interface AskingOptions extends ClientOptions {
  readonly output: 'table' | 'json';
}

export const WHERE = `
Any node of the cluster can be asked: --endpoint, or AGENTSTATE_ENDPOINT, or http://127.0.0.1:8080.
Outside dev mode a token is needed: --token or AGENTSTATE_TOKEN, granting ADMIN on admin://global.
`;

export function asking(name: string, help: string): Command {
  return new Command(name)
    .option(
      '--endpoint <url>',
      'a node, or several with commas (default: AGENTSTATE_ENDPOINT, or http://127.0.0.1:8080)',
    )
    .option('--token <token>', 'instead of AGENTSTATE_TOKEN (other users can see a command line)')
    .addOption(new Option('--output <format>', 'table or json').choices(['table', 'json']).default('table'))
    .addHelpText('after', help);
}

export function print(terminal: Terminal, { output }: AskingOptions, answer: unknown, text: string): void {
  terminal.out(output === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : text);
}
