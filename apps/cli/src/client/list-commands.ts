import { Command, Option } from 'commander';
import type { Pages, Query, StoredObject } from '#client';
import { type Terminal, UsageError } from '../terminal';
import { connecting, type ConnectionOptions, forPeople, withClient } from './connection';
import { printJson, printObjects } from './printing';
import { collected, jsonOf, tagsOf, wholeNumber, whereOf } from './values';

interface ListOptions extends ConnectionOptions {
  readonly prefix?: string;
  readonly limit: string;
}
interface QueryOptions extends ListOptions {
  readonly type?: string;
  readonly tag?: readonly string[];
  readonly where?: readonly string[];
  readonly fields?: string;
  readonly order?: 'id' | 'commit_seq' | '-commit_seq';
}

const LIST_HELP = `
Examples:
  $ agentstate list agent://demo --prefix task-
  $ agentstate list agent://demo --limit 100000 --output json
`;
const QUERY_HELP = `
All given conditions must hold. A condition on the body is a path from $, an operator (= != > >= < <=) and a value; what
is not JSON is taken as a text. Or give the whole query as JSON.

Examples:
  $ agentstate query agent://demo --type task --tag priority=high --where '$.status=running' --where '$.progress>0.5'
  $ agentstate query agent://demo --order=-commit_seq --limit 10 --fields status,progress
  $ agentstate query agent://demo '{"where":{"$.status":{"in":["open","running"]}}}' --output json
`;

/** `agentstate list`. */
export function listCommand(terminal: Terminal): Command {
  return listing('list', 'list the objects of a namespace in the order of their ids')
    .addHelpText('after', LIST_HELP)
    .action(async (ns: string, options: ListOptions) => {
      const { prefix } = options;
      const limit = wholeNumber(options.limit, '--limit');
      await withClient(options, terminal, (client) =>
        print(
          terminal,
          options,
          client.list(ns, { ...paged(limit), ...(prefix !== undefined && { prefix }) }),
        ),
      );
    });
}

/** `agentstate query`. */
export function queryCommand(terminal: Terminal): Command {
  return listing('query', 'find objects by tags, type and what is in their bodies')
    .argument('[query]', 'the conditions as JSON, as the API takes them')
    .option('--type <type>', 'only objects of this type')
    .option('--tag <name=value>', 'only objects with this tag; may be given several times', collected)
    .option('--where <condition>', 'only bodies like this; may be given several times', collected)
    .option('--fields <names>', 'which top-level keys of the bodies to print, with commas')
    .addOption(
      new Option('--order <order>', 'by id, or by version').choices(['id', 'commit_seq', '-commit_seq']),
    )
    .addHelpText('after', QUERY_HELP)
    .action(async (ns: string, whole: string | undefined, options: QueryOptions) => {
      const query = queryOf(whole, options);
      const limit = wholeNumber(options.limit, '--limit');
      await withClient(options, terminal, (client) =>
        print(terminal, options, client.query(ns, query, paged(limit))),
      );
    });
}

function listing(name: string, description: string): Command {
  return connecting(
    new Command(name).description(description).argument('<namespace>', 'for instance agent://demo'),
  )
    .option('--prefix <text>', 'only ids that begin so')
    .option('--limit <n>', 'how many at most', '1000');
}

const paged = (limit: number): { readonly limit: number; readonly pageSize: number } => ({
  limit,
  pageSize: 1_000,
});

function queryOf(whole: string | undefined, options: QueryOptions): Query {
  const { type, prefix, order, fields } = options;
  const [tags, where] = [tagsOf(options.tag), whereOf(options.where)];
  const given = whole === undefined ? {} : jsonOf(whole, 'the query');
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UsageError('a query is a JSON object, for instance \'{"type":"task"}\'');
  }
  return {
    ...given,
    ...(tags && { tags }),
    ...(where && { where }),
    ...(type !== undefined && { type }),
    ...(prefix !== undefined && { prefix }),
    ...(order !== undefined && { order }),
    ...(fields !== undefined && { fields: fields.split(',') }),
  };
}

/** People want columns, which need all rows; programs get each row when it is there. */
async function print(
  terminal: Terminal,
  options: ConnectionOptions,
  objects: Pages<StoredObject>,
): Promise<void> {
  if (forPeople(options, terminal)) printObjects(terminal, await objects.all());
  else for await (const object of objects) printJson(terminal, object);
}
