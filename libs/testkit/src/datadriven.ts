import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Tests as text: a file of cases, each a comment, a command, its input, a line `----` and the expected answer,
 * which ends at an empty line. An answer that has empty lines itself stands between two doubled lines `----`.
 *
 *     # Two of three are a majority.
 *     vote cfg=(1,2,3) votes=(y,y,_)
 *     ----
 *     VoteWon
 */
export interface DataDrivenCase {
  /** Line of the command in its file, from 1. */
  readonly line: number;
  readonly command: string;
  /** `key`, `key=value` and `key=(value,value)`; in the order given, a key may come again. */
  readonly arguments: readonly DataDrivenArgument[];
  /** The lines between the command and `----`, without the last line break. */
  readonly input: string;
  readonly expected: string;
}

export interface DataDrivenArgument {
  readonly key: string;
  readonly values: readonly string[];
}

type Piece = { readonly text: string } | { readonly testCase: DataDrivenCase; readonly source: string };

const SEPARATOR = '----';

/** Reads the cases of a text, in order. Throws on a command without its `----`. */
export function parseDataDriven(text: string): readonly DataDrivenCase[] {
  return parsePieces(text).flatMap((piece) => ('testCase' in piece ? [piece.testCase] : []));
}

/**
 * Runs every case of a text through `run`. Answers the text with what came out in place of what was expected:
 * equal to `text` when all is well.
 */
export function runDataDriven(text: string, run: (testCase: DataDrivenCase) => string): string {
  return parsePieces(text)
    .map((piece) => {
      if (!('testCase' in piece)) return piece.text;
      const answer = run(piece.testCase).replace(/\n+$/, '');
      const block = answer.includes('\n\n')
        ? `${SEPARATOR}\n${SEPARATOR}\n${answer}\n${SEPARATOR}\n${SEPARATOR}\n`
        : `${SEPARATOR}\n${answer === '' ? '' : `${answer}\n`}`;
      return `${piece.source}${block}`;
    })
    .join('');
}

function parsePieces(text: string): Piece[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const pieces: Piece[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] as string;
    if (line.trim() === '' || line.startsWith('#')) {
      pieces.push({ text: `${line}\n` });
      at += 1;
      continue;
    }
    const start = at;
    while (at < lines.length && lines[at] !== SEPARATOR) at += 1;
    if (at === lines.length) throw new Error(`line ${start + 1}: no ${SEPARATOR} after the command`);
    const inputLines = lines.slice(start + 1, at);
    at += 1;
    const expected: string[] = [];
    if (lines[at] === SEPARATOR) {
      at += 1;
      while (at < lines.length && !(lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR))
        expected.push(lines[at++] as string);
      at += 2;
    } else {
      while (at < lines.length && lines[at] !== '') expected.push(lines[at++] as string);
    }
    const { command, list } = parseCommand(line);
    pieces.push({
      source: `${[line, ...inputLines].join('\n')}\n`,
      testCase: {
        line: start + 1,
        command,
        arguments: list,
        input: inputLines.join('\n'),
        expected: expected.join('\n'),
      },
    });
  }
  return pieces;
}

function parseCommand(line: string): { readonly command: string; readonly list: DataDrivenArgument[] } {
  const tokens = line.match(/[^\s=()]+(?:=(?:\([^)]*\)|[^\s()]+))?/g) ?? [];
  const [command = '', ...rest] = tokens;
  const list = rest.map((token) => {
    const equals = token.indexOf('=');
    if (equals < 0) return { key: token, values: [] };
    const value = token.slice(equals + 1);
    const values = value.startsWith('(')
      ? value
          .slice(1, -1)
          .split(',')
          .map((item) => item.trim())
      : [value];
    return { key: token.slice(0, equals), values: values.filter((item) => item !== '') };
  });
  return { command, list };
}

/** The text files of a folder, in order of name. */
export function dataDrivenFiles(folder: string): readonly { readonly name: string; readonly path: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => ({ name: basename(name, '.txt'), path: join(folder, name) }));
}

/**
 * Reads a file and runs it. With `mayRewrite`, and `REWRITE=1` in the environment, the outcome is written back:
 * for the project's own files only.
 */
export function runDataDrivenFile(
  path: string,
  run: (testCase: DataDrivenCase) => string,
  options: { readonly mayRewrite: boolean } = { mayRewrite: false },
): { readonly expected: string; readonly actual: string } {
  const expected = readFileSync(path, 'utf8');
  const actual = runDataDriven(expected, run);
  if (!options.mayRewrite || process.env['REWRITE'] !== '1') return { expected, actual };
  writeFileSync(path, actual);
  return { expected: actual, actual };
}

/**
 * A folder of test data that lies outside of the project: under `AGENTSTATE_SHARED`, or under a folder `shared`
 * beside the project or any folder above it. `undefined` when there is none, as in a fresh clone.
 */
export function sharedFolder(name: string, from: string): string | undefined {
  const given = process.env['AGENTSTATE_SHARED'];
  if (given !== undefined && existsSync(join(given, name))) return join(given, name);
  for (let folder = from; dirname(folder) !== folder; folder = dirname(folder)) {
    const candidate = join(dirname(folder), 'shared', name);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}
