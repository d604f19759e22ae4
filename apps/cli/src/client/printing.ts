import type { StoredObject } from '#client';
import type { Terminal } from '../terminal';

/** One JSON value a line: what programs read. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value)}\n`);
}

const BODY_CHARACTERS = 80;
const GAP = '  ';

/** Objects below each other, for people. */
export function printObjects(terminal: Terminal, objects: readonly StoredObject[]): void {
  if (objects.length === 0) {
    terminal.err('nothing found\n');
    return;
  }
  printTable(
    terminal,
    ['ID', 'TYPE', 'VERSION', 'TAGS', 'BODY'],
    objects.map(({ id, type, commit_seq: seq, tags, body }) => [
      id,
      type,
      `${seq}`,
      Object.entries(tags)
        .map(([name, value]) => `${name}=${value}`)
        .join(',') || '-',
      shortened(JSON.stringify(body)),
    ]),
  );
}

/** One object whole, for people. */
export function printObject(terminal: Terminal, object: object): void {
  const rows = Object.entries(object).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value, undefined, 2),
  ]);
  const width = Math.max(...rows.map(([name = '']) => name.length));
  for (const [name = '', value = ''] of rows) {
    const lines = visible(value).split('\n');
    terminal.out(`${name.padEnd(width)}${GAP}${lines.join(`\n${' '.repeat(width + GAP.length)}`)}\n`);
  }
}

export function printTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const shown = [head, ...rows].map((row) => row.map((cell) => visible(cell)));
  const widths = head.map((_, at) => Math.max(...shown.map((row) => row[at]?.length ?? 0)));
  for (const row of shown) {
    const line = row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(GAP);
    terminal.out(`${line.trimEnd()}\n`);
  }
}

export function shortened(text: string): string {
  return text.length <= BODY_CHARACTERS ? text : `${text.slice(0, BODY_CHARACTERS - 1)}…`;
}

/** What strangers have stored must not move a terminal's cursor. Line feeds are ours. */
export const visible = (text: string): string =>
  text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '�');
