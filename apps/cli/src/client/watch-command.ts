import { Command } from 'commander';
import type { BookmarkEvent, ChangeEvent, WatchOptions } from '#client';
import { type Terminal, UsageError } from '../terminal';
import { connecting, type ConnectionOptions, forPeople, withClient } from './connection';
import { printJson, shortened, visible } from './printing';
import { collected, tagsOf, wholeNumber } from './values';

interface Options extends ConnectionOptions {
  readonly prefix?: string;
  readonly type?: string;
  readonly tag?: readonly string[];
  readonly fromCommit?: string;
  readonly after?: string;
  readonly initial?: true;
  readonly bookmarks?: true;
  readonly limit?: string;
}

const HELP = `
It goes on until Ctrl-C, and reconnects by itself without missing anything. On a terminal it prints a line for people,
otherwise one JSON object a line.

Examples:
  $ agentstate watch agent://demo
  $ agentstate watch agent://demo --initial --prefix task- --tag priority=high
  $ agentstate watch agent://demo --from-commit 1 | jq .object.body
  $ agentstate watch agent://demo --after 12 --limit 1
`;
const COLOURS = { PUT: '32', DELETE: '31', BOOKMARK: '90' } as const;

/** `agentstate watch`. */
export function watchCommand(terminal: Terminal): Command {
  return connecting(new Command('watch').description('print changes as they happen'))
    .argument('<namespace>', 'for instance agent://demo')
    .option('--prefix <text>', 'only ids that begin so')
    .option('--type <type>', 'only objects of this type')
    .option('--tag <name=value>', 'only objects with this tag; may be given several times', collected)
    .option('--from-commit <n>', 'begin with the change at this position; 1 is the beginning of the history')
    .option('--after <n>', 'begin after this position')
    .option('--initial', 'begin with the state as it is')
    .option('--bookmarks', 'print how far the stream has come, too')
    .option('--limit <n>', 'end after so many lines')
    .addHelpText('after', HELP)
    .action(async (ns: string, options: Options) => {
      const watch = watchOf(options);
      const limit = options.limit === undefined ? Infinity : wholeNumber(options.limit, '--limit');
      const print = forPeople(options, terminal) ? printLine : printEvent;
      await withClient(options, terminal, async (client) => {
        let printed = 0;
        if (limit === 0) return;
        for await (const event of client.watch(ns, watch)) {
          // The watch was not asked for anything else.
          print(terminal, event);
          if (++printed >= limit) return;
        }
      });
    });
}

function watchOf(options: Options): WatchOptions {
  const { prefix, type, fromCommit, after, initial, bookmarks } = options;
  if ([fromCommit, after, initial].filter((one) => one !== undefined).length > 1) {
    throw new UsageError('--from-commit, --after and --initial exclude each other');
  }
  const tags = tagsOf(options.tag);
  return {
    ...(prefix !== undefined && { prefix }),
    ...(type !== undefined && { type }),
    ...(tags && { tags }),
    ...(fromCommit !== undefined && { fromCommit: wholeNumber(fromCommit, '--from-commit') }),
    ...(after !== undefined && { after: wholeNumber(after, '--after') }),
    ...(initial && { initial }),
    ...(bookmarks && { bookmarks }),
  };
}

/** As a node sends it: the body stands in the object. */
function printEvent(terminal: Terminal, event: ChangeEvent | BookmarkEvent): void {
  printJson(terminal, { ...event, body: undefined });
}

function printLine(terminal: Terminal, event: ChangeEvent | BookmarkEvent): void {
  const time = 'ts' in event ? event.ts.slice(11, 23) : ' '.repeat(12);
  const kind = event.type.padEnd(8);
  const coloured = terminal.isInteractive ? `\u001b[${COLOURS[event.type]}m${kind}\u001b[0m` : kind;
  const rest =
    event.type === 'PUT'
      ? shortened(JSON.stringify(event.body))
      : event.type === 'DELETE'
        ? event.reason
        : '';
  const line = `${String(event.commit_seq).padStart(8)}  ${visible(event.id ?? '')}  ${visible(rest)}`;
  terminal.out(`${visible(time)}  ${coloured} ${line.trimEnd()}\n`);
}
