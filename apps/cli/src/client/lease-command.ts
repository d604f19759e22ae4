import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { Command } from 'commander';
import { durationSeconds } from '../token/duration';
import type { Terminal } from '../terminal';
import { connecting, type ConnectionOptions, forPeople, withClient } from './connection';
import { printJson, printObject } from './printing';
import { wholeNumber } from './values';

interface Options extends ConnectionOptions {
  readonly owner?: string;
  readonly fence?: string;
  readonly ttl: string;
}

const HELP = `
A lease belongs to one owner at a time and ends by itself. Its token is a fencing number: a write that is given it
(If-Resource, If-Fence) happens only while the lease is held. "acquire" prints it; "renew" and "release" need it.

Examples:
  $ agentstate lease acquire agent://demo nightly-report --owner worker-1 --ttl 5m
  $ agentstate lease renew agent://demo nightly-report --owner worker-1 --fence 7 --ttl 5m
  $ agentstate lease release agent://demo nightly-report --owner worker-1 --fence 7
  $ agentstate lease show agent://demo nightly-report
`;

/** `agentstate lease`. */
export function leaseCommand(terminal: Terminal): Command {
  return new Command('lease')
    .description('hold a name for some time, alone')
    .addHelpText('after', HELP)
    .addCommand(
      timed(lease('acquire', 'take a lease that nobody holds'))
        .option('--owner <name>', 'who takes it (default: this host and process)')
        .action(async (ns: string, key: string, options: Options) => {
          const owner = options.owner ?? `${os.hostname()}-${process.ppid}`;
          await change(terminal, options, ns, 'acquire', {
            key,
            owner,
            ttl: durationSeconds(options.ttl, '--ttl'),
          });
        }),
    )
    .addCommand(
      timed(held(lease('renew', 'keep a lease for longer'))).action(
        async (ns: string, key: string, options: Options) => {
          const ttl = durationSeconds(options.ttl, '--ttl');
          await change(terminal, options, ns, 'renew', { ...holder(key, options), ttl });
        },
      ),
    )
    .addCommand(
      held(lease('release', 'let a lease go')).action(async (ns: string, key: string, options: Options) => {
        await change(terminal, options, ns, 'release', holder(key, options));
      }),
    )
    .addCommand(
      lease('show', 'print who holds a lease').action(async (ns: string, key: string, options: Options) => {
        print(
          terminal,
          options,
          await withClient(options, terminal, (client) => client.leaseHolder(ns, key)),
        );
      }),
    );
}

function lease(name: string, description: string): Command {
  return connecting(new Command(name).description(description))
    .argument('<namespace>', 'for instance agent://demo')
    .argument('<key>', 'the name of the lease')
    .addHelpText('after', HELP);
}

const timed = (command: Command): Command =>
  command.option('--ttl <time>', 'how long it lasts: 3600, 90s, 30m, 12h or 7d', '30s');

const held = (command: Command): Command =>
  command
    .requiredOption('--owner <name>', 'who holds it')
    .requiredOption('--fence <n>', 'the token that acquire has printed');

const holder = (key: string, { owner, fence = '' }: Options): object => ({
  key,
  owner,
  token: wholeNumber(fence, '--fence'),
});

/** The lease outlives this process, so that it is not the client's, which would renew it and let it go. */
async function change(
  terminal: Terminal,
  options: Options,
  ns: string,
  what: 'acquire' | 'renew' | 'release',
  body: object,
): Promise<void> {
  const headers = { 'idempotency-key': randomUUID() };
  const path = `/v1/${encodeURIComponent(ns)}/lease/${what}`;
  const { json } = await withClient(options, terminal, (client) =>
    client.request('POST', path, { body, headers }),
  );
  print(terminal, options, json ?? { released: true, ...body });
}

function print(terminal: Terminal, options: ConnectionOptions, value: object): void {
  if (forPeople(options, terminal)) printObject(terminal, value);
  else printJson(terminal, value);
}
