import { Argument, Command } from 'commander';
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
      const words = wordsOf(command.parent ?? command, 'agentstate');
      terminal.out(
        shell === 'bash'
          ? bashScript(words)
          : `#compdef agentstate\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}`,
      );
    });
  return command;
}

/** What may follow each command: `agentstate token` is followed by `mint`, `inspect` and options. */
function wordsOf(command: Command, path: string): readonly (readonly [path: string, words: string])[] {
  const visible = command.createHelp();
  const words = [
    ...visible.visibleCommands(command).map((one) => one.name()),
    ...visible.visibleOptions(command).map(({ long, short }) => long ?? short ?? ''),
  ];
  return [
    [path, words.join(' ')],
    ...command.commands.flatMap((one) => wordsOf(one, `${path} ${one.name()}`)),
  ];
}

/** Both shells run it: zsh through its bashcompinit. */
function bashScript(words: readonly (readonly [string, string])[]): string {
  const cases = words.map(([path, follow]) => `    '${path}') words='${follow}' ;;`).join('\n');
  return `_agentstate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path=agentstate words='' word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${words.map(([path]) => path).join('|')}|" in
      *"$path $word|"*) path="$path $word" ;;
    esac
  done
  case "$previous" in
    --output) words='table json' ;;
    --file|--key-file|--data-dir) COMPREPLY=($(compgen -f -- "$current")); return ;;
    *) case "$path" in
${cases}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _agentstate agentstate
`;
}
