import { Argument, Command, type Option } from 'commander';
import type { Terminal } from '../terminal';

const HELP = `
Examples:
  $ source <(agentstate completion bash)
  $ agentstate completion zsh > "\${fpath[1]}/_agentstate"
`;

/** `agentstate completion`: a script for a shell that knows all commands and options of this version. */
export function completionCommand(terminal: Terminal): Command {
  const command = new Command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh']))
    .addHelpText('after', HELP)
    .action((shell: 'bash' | 'zsh') => {
      const script = bashScript(placesOf(command.parent ?? command, 'agentstate'));
      terminal.out(
        shell === 'bash'
          ? script
          : `#compdef agentstate\nautoload -U +X bashcompinit && bashcompinit\n${script}${ZSH_FIRST_USE}`,
      );
    });
  return command;
}

/** In a folder of functions the script is loaded by the first completion, which is to have an answer, too. */
const ZSH_FIRST_USE = `if [[ "\${funcstack[1]}" = _agentstate ]]; then _bash_complete -F _agentstate; fi
`;

/** What may follow when a place in the program was typed: `agentstate wal verify`, or an option of it. */
interface Place {
  readonly typed: string;
  readonly follow: readonly string[] | 'file' | 'anything';
}

/** The commands, each with its commands and options; and the options that take a value, each with its values. */
interface Places {
  readonly commands: readonly Place[];
  readonly values: readonly Place[];
}

/** A value of an option that is a name in the file system is completed as one. */
const FILE_VALUE = /<(file|folder|path)>/;

function placesOf(command: Command, path: string): Places {
  const visible = command.createHelp();
  const options = visible.visibleOptions(command);
  const follow = [
    ...visible.visibleCommands(command).map((one) => one.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ...options.map(({ long, short }) => long ?? short ?? ''),
  ];
  const inner = command.commands.map((one) => placesOf(one, `${path} ${one.name()}`));
  const takingValues = options.filter(({ required, optional }) => required || optional);
  return {
    commands: [{ typed: path, follow }, ...inner.flatMap(({ commands }) => commands)],
    values: [
      ...takingValues.map((option) => valuesOf(option, path)),
      ...inner.flatMap(({ values }) => values),
    ],
  };
}

const valuesOf = ({ long, argChoices, flags }: Option, path: string): Place => ({
  typed: `${path} ${long ?? ''}`,
  follow: argChoices ?? (FILE_VALUE.test(flags) ? 'file' : 'anything'),
});

/**
 * Both shells run it: zsh through its bashcompinit, where `path` is the search path, and a number in an expansion has to
 * begin with no letter.
 */
function bashScript({ commands, values }: Places): string {
  const paths = commands.map(({ typed }) => typed).join('|');
  return `_agentstate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" typed=agentstate word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:\$((COMP_CWORD-1))}"; do
    case "|${paths}|" in
      *"|$typed $word|"*) typed="$typed $word" ;;
    esac
  done
  case "$typed $previous" in
${casesOf(values)}
  esac
  case "$typed" in
${casesOf(commands)}
  esac
}
complete -F _agentstate agentstate
`;
}

/** Places after which the same may follow share a line. */
function casesOf(places: readonly Place[]): string {
  const byAction = new Map<string, string[]>();
  for (const { typed, follow } of places) {
    const action = actionOf(follow);
    byAction.set(action, [...(byAction.get(action) ?? []), `'${typed}'`]);
  }
  return [...byAction].map(([action, typed]) => `    ${typed.join('|')})${action} return ;;`).join('\n');
}

function actionOf(follow: Place['follow']): string {
  if (follow === 'anything') return '';
  const source = follow === 'file' ? '-f' : `-W '${follow.join(' ')}'`;
  return ` COMPREPLY=($(compgen ${source} -- "$current"));`;
}
