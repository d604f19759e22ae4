import { readFileSync } from 'node:fs';
import { CommandFailure, UsageError } from '../terminal';

/** Reads what a person typed as JSON; the error shows how it is meant. */
export function jsonOf(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(
      `${what} is not JSON. Quote it for the shell, for instance '{"status":"done"}', or '"text"' for a text.`,
    );
  }
}

/** A JSON value from the argument, a file, or standard input (`-`, or nothing at all). */
export function bodyOf(argument: string | undefined, file: string | undefined): unknown {
  if (argument !== undefined && file !== undefined)
    throw new UsageError('a body comes as an argument or by --file, not both');
  if (argument !== undefined && argument !== '-') return jsonOf(argument, 'the body');
  if (file === undefined || file === '-') return jsonOf(textOf(0, 'standard input'), 'standard input');
  return jsonOf(textOf(file, file), file);
}

function textOf(file: string | number, name: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(
      `cannot read ${name}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}

/** `name=value`, given any number of times. */
export function tagsOf(given: readonly string[] | undefined): Record<string, string> | undefined {
  if (given === undefined) return undefined;
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1)
        throw new UsageError(`--tag: ${JSON.stringify(text)} is no tag. Example: --tag priority=high`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

export function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,16}$/.test(text)) {
    throw new UsageError(`${option}: ${JSON.stringify(text)} is no whole number. Example: ${option} 12`);
  }
  return Number(text);
}

export const collected = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

const OPERATORS: Readonly<Record<string, string>> = {
  '=': 'eq',
  '!=': 'ne',
  '>': 'gt',
  '>=': 'gte',
  '<': 'lt',
  '<=': 'lte',
};

/** `$.status=running`, `$.progress>=0.5`; what is not JSON on the right is a text. */
export function whereOf(
  given: readonly string[] | undefined,
): Record<string, Record<string, unknown>> | undefined {
  if (given === undefined) return undefined;
  const where: Record<string, Record<string, unknown>> = {};
  for (const text of given) {
    const [, path, operator, value = ''] = /^(\$[^=!<>]*?)\s*(!=|>=|<=|=|>|<)\s*(.*)$/.exec(text) ?? [];
    const name = OPERATORS[operator ?? ''];
    if (path === undefined || name === undefined) {
      throw new UsageError(
        `--where: ${JSON.stringify(text)} is no condition. Example: --where '$.progress>=0.5'`,
      );
    }
    where[path] = { ...where[path], [name]: valueOf(value) };
  }
  return where;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
