import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Command, Option } from 'commander';
import { program, runProgram } from '../program';
import type { Terminal } from '../terminal';

/**
 * The goal: a shell offers what the program takes, all of it and nothing else. The method: real shells complete lines
 * for every command and option of the program.
 */
let text = '';
const terminal: Terminal = { environment: {}, out: (more) => (text += more), err: () => {}, nowMs: () => 0 };

interface Line {
  readonly typed: readonly string[];
  readonly offered: readonly string[];
}

function linesOf(command: Command, typed: readonly string[]): readonly Line[] {
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  const offered = [
    ...help.visibleCommands(command).map((one) => one.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ...options.map((option) => option.long ?? ''),
  ];
  const flag = options.find((option) => !option.required && !option.optional);
  return [
    { typed, offered },
    // A flag takes no value: what follows it is what follows the command.
    ...(flag?.long === undefined ? [] : [{ typed: [...typed, flag.long], offered }]),
    ...options
      .filter(takesValue)
      .map((one) => ({ typed: [...typed, one.long ?? ''], offered: valuesOf(one) })),
    ...command.commands.flatMap((one) => linesOf(one, [...typed, one.name()])),
  ];
}

const takesValue = ({ required, optional }: Option): boolean => required || optional;
const valuesOf = ({ argChoices, flags }: Option): readonly string[] =>
  argChoices ?? (/<(file|folder|path)>/.test(flags) ? ['a-file'] : []);

describe('completion', () => {
  const lines = linesOf(program(terminal), ['agentstate']);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'agentstate-completion-'));
    writeFileSync(path.join(folder, 'a-file'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function scriptFor(shell: string): Promise<string> {
    text = '';
    await runProgram(['completion', shell], terminal);
    return text;
  }

  /** One shell completes all lines; a line of its answer is what it offers, sorted. */
  function bashOffers(script: string, typed: readonly (readonly string[])[]): readonly string[] {
    const asked = typed.map(
      (words) =>
        `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _agentstate; ` +
        `echo $(printf '%s\\n' "\${COMPREPLY[@]}" | LC_ALL=C sort)`,
    );
    const input = [script, ...asked].join('\n');
    return execFileSync('bash', ['--norc'], { cwd: folder, input, encoding: 'utf8' }).trimEnd().split('\n');
  }

  test('bash', async () => {
    const script = await scriptFor('bash');
    expect(lines.length).toBeGreaterThan(100);
    const offers = bashOffers(
      script,
      lines.map(({ typed }) => [...typed, '']),
    );
    expect(lines.map(({ typed }, at) => [typed.join(' '), offers[at]])).toEqual(
      lines.map(({ typed, offered }) => [typed.join(' '), [...offered].sort().join(' ')]),
    );
  });

  test('the beginning of a word narrows it, and what is no command is passed over', async () => {
    const script = await scriptFor('bash');
    const typed = [
      ['agentstate', 'clus'],
      ['agentstate', 'put', 'agent://demo', 'task-1', '--create', '--if-'],
      ['agentstate', 'wal', 'verify', '--output', 'j'],
    ];
    expect(bashOffers(script, typed)).toEqual(['cluster', '--if-match', 'json']);
  });

  const zsh = async (): Promise<void> => {
    const script = path.join(folder, '_agentstate');
    writeFileSync(script, await scriptFor('zsh'));
    expect(execFileSync('zsh', ['-f', '-n', script], { encoding: 'utf8' })).toBe('');
    // As the completion system calls it, which itself answers to a terminal alone.
    const input = [
      'autoload -U compinit bashcompinit && compinit -D -u && bashcompinit',
      `source ${script}`,
      'COMP_WORDS=(agentstate wal verify --output ""); COMP_CWORD=4',
      "echo $(compgen -F _agentstate -- '')",
    ].join('\n');
    expect(execFileSync('zsh', ['-f'], { cwd: folder, input, encoding: 'utf8' })).toBe('text json\n');
  };
  if (spawnSync('zsh', ['-c', ':']).status === 0) test('zsh', zsh);
  else test.skip('left out: there is no zsh here (Debian: zsh)', zsh);
});
