import { Command } from 'commander';
import type { MergePatch, Patch, WriteOptions } from '#client';
import { durationSeconds } from '../token/duration';
import { type Terminal, UsageError } from '../terminal';
import { connecting, type ConnectionOptions, forPeople, withClient } from './connection';
import { printJson, printObject } from './printing';
import { bodyOf, collected, tagsOf, wholeNumber } from './values';

interface Conditions extends ConnectionOptions {
  readonly ifMatch?: string;
  readonly create?: true;
}
interface PutOptions extends Conditions {
  readonly file?: string;
  readonly type?: string;
  readonly tag?: readonly string[];
  readonly ttl?: string;
}
interface GetOptions extends ConnectionOptions {
  readonly atSeq?: string;
  readonly at?: string;
}

const GET_HELP = `
Examples:
  $ agentstate get agent://demo task-1
  $ agentstate get agent://demo task-1 --at-seq 12
  $ agentstate get agent://demo task-1 --at 2026-11-23T09:00:00Z --output json
`;
const PUT_HELP = `
An object of the same id is replaced whole. The body is any JSON value: an argument, a file, or standard input.

Examples:
  $ agentstate put agent://demo task-1 '{"status":"running"}' --type task --tag priority=high
  $ agentstate put agent://demo task-1 --file task.json --ttl 1h
  $ echo '{"status":"open"}' | agentstate put agent://demo task-2 --create
  $ agentstate put agent://demo task-1 '{"status":"done"}' --if-match 12
`;
const PATCH_HELP = `
A JSON object is a merge patch (RFC 7396) over type, body, tags and ttl_seconds, in which null removes; a JSON array is
a JSON patch (RFC 6902).

Examples:
  $ agentstate patch agent://demo task-1 '{"body":{"status":"done"},"tags":{"priority":null}}'
  $ agentstate patch agent://demo task-1 '[{"op":"replace","path":"/body/status","value":"done"}]' --if-match 12
`;
const DELETE_HELP = `
Examples:
  $ agentstate delete agent://demo task-1
  $ agentstate delete agent://demo task-1 --if-match 12
`;

/** `agentstate get`. */
export function getCommand(terminal: Terminal): Command {
  return connecting(object('get', 'print an object, as it is or as it was'))
    .option('--at-seq <n>', 'as it was after the write at this position')
    .option('--at <time>', 'as it was at this time (RFC 3339)')
    .addHelpText('after', GET_HELP)
    .action(async (ns: string, id: string, options: GetOptions) => {
      const { at, atSeq } = options;
      if (at !== undefined && atSeq !== undefined)
        throw new UsageError('--at and --at-seq exclude each other');
      const moment = {
        ...(at !== undefined && { at }),
        ...(atSeq !== undefined && { atSeq: wholeNumber(atSeq, '--at-seq') }),
      };
      print(terminal, options, await withClient(options, terminal, (client) => client.get(ns, id, moment)));
    });
}

/** `agentstate put`. */
export function putCommand(terminal: Terminal): Command {
  return conditional(object('put', 'store an object'))
    .argument('[body]', 'a JSON value; without it, or as -, it is read from standard input')
    .option('--file <path>', 'read the body from a file')
    .option('--type <type>', 'what kind of object it is')
    .option('--tag <name=value>', 'a tag; may be given several times', collected)
    .option('--ttl <time>', 'how long it stays: 3600, 90s, 30m, 12h or 7d')
    .addHelpText('after', PUT_HELP)
    .action(async (ns: string, id: string, argument: string | undefined, options: PutOptions) => {
      const tags = tagsOf(options.tag);
      const put = {
        id,
        body: bodyOf(argument, options.file),
        ...(options.type !== undefined && { type: options.type }),
        ...(tags && { tags }),
        ...(options.ttl !== undefined && { ttl_seconds: durationSeconds(options.ttl, '--ttl') }),
      };
      const conditions = conditionsOf(options);
      print(
        terminal,
        options,
        await withClient(options, terminal, (client) => client.put(ns, put, conditions)),
      );
    });
}

/** `agentstate patch`. */
export function patchCommand(terminal: Terminal): Command {
  return conditional(object('patch', 'change parts of an object'))
    .argument('[patch]', 'a JSON object or array; without it, or as -, it is read from standard input')
    .option('--file <path>', 'read the patch from a file')
    .addHelpText('after', PATCH_HELP)
    .action(
      async (
        ns: string,
        id: string,
        argument: string | undefined,
        options: Conditions & { readonly file?: string },
      ) => {
        const patch = bodyOf(argument, options.file);
        if (typeof patch !== 'object' || patch === null) {
          throw new UsageError('a patch is a JSON object (merge patch) or a JSON array (JSON patch)');
        }
        const conditions = conditionsOf(options);
        const work = withClient(options, terminal, (client) =>
          client.patch(ns, id, patch as MergePatch | Patch, conditions),
        );
        print(terminal, options, await work);
      },
    );
}

/** `agentstate delete`. */
export function deleteCommand(terminal: Terminal): Command {
  return connecting(object('delete', 'delete an object'))
    .option('--if-match <n>', 'only this version')
    .addHelpText('after', DELETE_HELP)
    .action(async (ns: string, id: string, options: Conditions) => {
      const conditions = conditionsOf(options);
      const { commit_seq: seq } = await withClient(options, terminal, (client) =>
        client.delete(ns, id, conditions),
      );
      print(terminal, options, { deleted: true, id, commit_seq: seq });
    });
}

function object(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<namespace>', 'for instance agent://demo')
    .argument('<id>', 'of the object');
}

function conditional(command: Command): Command {
  return connecting(command)
    .option('--if-match <n>', 'only if this is the version that is there')
    .option('--create', 'only if there is no such object');
}

function conditionsOf({ ifMatch, create }: Conditions): WriteOptions {
  if (ifMatch !== undefined && create) throw new UsageError('--if-match and --create exclude each other');
  return {
    ...(ifMatch !== undefined && { ifMatch: wholeNumber(ifMatch, '--if-match') }),
    ...(create && { ifNoneMatch: '*' as const }),
  };
}

function print(terminal: Terminal, options: ConnectionOptions, value: object): void {
  if (forPeople(options, terminal)) printObject(terminal, value);
  else printJson(terminal, value);
}
