import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { program, runProgram } from './program';
import type { Terminal } from './terminal';

/**
 * The goal: no document and no help tells a reader to type what the program does not know. The method: every command
 * line in them, against the tree of commands; documents that can be run are run elsewhere.
 */
const ROOT = path.join(__dirname, '../../..');
const DOCUMENTS = ['README.md', 'SECURITY.md', 'docs', 'deploy', 'examples', 'libs', 'sdks'];

let text = '';
const terminal: Terminal = { environment: {}, out: (more) => (text += more), err: () => {}, nowMs: () => 0 };
const root = program(terminal);

interface Written {
  readonly where: string;
  readonly line: string;
}

/** Command lines of the program in a text: it begins a command there, or is named by where it lies. */
const COMMAND = /(?:^\s*(?:\$ )?(?:\w+=\S+ )*|[;&|(]\s*|" |bin\/)agentstate ([a-z-][^\n`|;#)]*)/g;

function commandsIn(where: string, lines: readonly string[]): readonly Written[] {
  return lines.flatMap((line) =>
    [...line.matchAll(COMMAND)].map((hit) => ({ where, line: (hit[1] ?? '').trim() })),
  );
}

/** What of the line the program does not know; `undefined` when it knows all. */
function unknownPart({ line }: Written): string | undefined {
  let command: Command = root;
  let isNamed = true;
  for (const word of line.split(/\s+/)) {
    const next = isNamed ? command.commands.find((one) => one.name() === word) : undefined;
    if (next !== undefined) {
      command = next;
    } else if (/^--?[a-z]/.test(word)) {
      const option = word.replace(/=.*/, '');
      const known = [...command.createHelp().visibleOptions(command)];
      if (!known.some(({ long, short }) => option === long || option === short))
        return `${command.name()} has no ${option}`;
      isNamed = false;
    } else {
      if (isNamed && command.commands.length > 0) return `${command.name()} has no ${word}`;
      isNamed = false;
    }
  }
  return undefined;
}

function documented(): readonly Written[] {
  const files = DOCUMENTS.flatMap((name) =>
    name.endsWith('.md')
      ? [name]
      : readdirSync(path.join(ROOT, name), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.md') && !/node_modules|\.venv/.test(file))
          .map((file) => `${name}/${file}`),
  );
  return files.flatMap((file) => {
    const blocks = readFileSync(path.join(ROOT, file), 'utf8').matchAll(/^```bash\n([\s\S]*?)^```/gm);
    return [...blocks].flatMap((block) =>
      commandsIn(file, (block[1] ?? '').replaceAll('\\\n', ' ').split('\n')),
    );
  });
}

test('commands in documents', () => {
  const written = documented();
  expect(written.length).toBeGreaterThan(20);
  const unknown = written.flatMap((one) => {
    const part = unknownPart(one);
    return part === undefined ? [] : [{ ...one, part }];
  });
  expect(unknown).toEqual([]);
});

test('commands in the help', async () => {
  const paths = (command: Command, before: readonly string[]): readonly (readonly string[])[] => [
    before,
    ...command.commands.flatMap((one) => paths(one, [...before, one.name()])),
  ];
  const unknown: object[] = [];
  for (const words of paths(root, [])) {
    text = '';
    await runProgram([...words, '--help'], terminal);
    const examples = text.split('\n').filter((line) => line.startsWith('  $ '));
    for (const one of commandsIn([...words, '--help'].join(' '), examples)) {
      const part = unknownPart(one);
      if (part !== undefined) unknown.push({ ...one, part });
    }
  }
  expect(unknown).toEqual([]);
});
