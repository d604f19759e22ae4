import { Command, CommanderError } from 'commander';
import { leaseCommand } from './client/lease-command';
import { listCommand, queryCommand } from './client/list-commands';
import { deleteCommand, getCommand, patchCommand, putCommand } from './client/object-commands';
import { watchCommand } from './client/watch-command';
import { clusterCommand } from './cluster/cluster-command';
import { completionCommand } from './completion/completion-command';
import { healthCommand } from './health-command';
import { namespacesCommand } from './namespaces/namespaces-command';
import { adminCommand } from './admin/admin-command';
import { restoreCommand } from './restore/restore-command';
import { serveCommand } from './serve-command';
import { snapshotCommand } from './snapshot/snapshot-command';
import { CommandFailure, ExitCode, type Terminal, UsageError } from './terminal';
import { tokenCommand } from './token/token-command';
import { programVersion } from './version';
import { walCommand } from './wal/wal-command';

const EXAMPLES = `
Examples:
  $ DEV_MODE=true agentstate serve                             one node, open, on http://127.0.0.1:8080
  $ agentstate put agent://demo task-1 '{"status":"open"}'     store an object
  $ agentstate watch agent://demo                              print changes as they happen
  $ agentstate token mint --ns agent://demo --ops PUT,GET      a token for a client
  $ agentstate cluster status                                  the nodes of a cluster and who leads
  $ agentstate namespaces set agent://demo --regions eu-west-1 a namespace that stays in a region
  $ agentstate <command> --help                                the options of a command, with examples
`;

/** In the order of the help. */
const COMMANDS = [
  serveCommand,
  healthCommand,
  getCommand,
  putCommand,
  patchCommand,
  deleteCommand,
  listCommand,
  queryCommand,
  watchCommand,
  leaseCommand,
  tokenCommand,
  clusterCommand,
  namespacesCommand,
  snapshotCommand,
  restoreCommand,
  adminCommand,
  walCommand,
  completionCommand,
] as const;

/**
 * Runs one command line and resolves to its exit code; `undefined` leaves the code to what is still running.
 * A later result of a running server is its own affair.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number | undefined> {
  try {
    await program(terminal).parseAsync([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    return explain(error, terminal);
  }
}

/** Every command, with its options and its help. */
export function program(terminal: Terminal): Command {
  const root = new Command('agentstate')
    .description('A state store for AI agents: clustered, watched live, restored to any moment.')
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(agentstate --help lists the commands and options)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  for (const make of COMMANDS) {
    const command = make(terminal);
    settle(command, root, command.name());
    for (const inner of command.commands) settle(inner, root, `${command.name()} ${inner.name()}`);
    root.addCommand(command);
  }
  return root;
}

/** What all commands have from the root, but each leads to its own help when it was called wrongly. */
function settle(command: Command, root: Command, words: string): void {
  command
    .copyInheritedSettings(root)
    .showHelpAfterError(`(agentstate ${words} --help says what it takes, with examples)`);
}

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // Commander has printed its own text; asking for help or the version is not an error.
    return error.exitCode === 0 ? ExitCode.success : ExitCode.usage;
  }
  terminal.err(`agentstate: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) return ExitCode.usage;
  if (
    !(error instanceof CommandFailure) &&
    error instanceof Error &&
    terminal.environment['DEV_MODE'] === 'true'
  ) {
    terminal.err(`${error.stack ?? ''}\n`);
  }
  return ExitCode.failure;
}
