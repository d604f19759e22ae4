/** Steps from a value to one inside it: member names, and array indexes (from the end when negative). */
export type SingularPath = readonly (string | number)[];

export type ParsedPath =
  | { readonly kind: 'path'; readonly path: SingularPath }
  /** `at` counts characters from 0. */
  | { readonly kind: 'malformed'; readonly at: number; readonly reason: string };

const NAME =
  /[A-Za-z_\u0080-\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}][\w\u0080-\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}]*/uy;
const INDEX = /(?:0|-?[1-9]\d{0,14})/y;
const BLANK = /[ \t\n\r]*/y;

/**
 * Reads a JSONPath that leads to one place at most: a singular query of RFC 9535 (section 2.3.5.1), for instance
 * `$.owner['id'][0]`. Anything that could lead to several (wildcards, slices, filters, descents) is refused.
 */
export function parseSingularPath(text: string): ParsedPath {
  const fail = (at: number, reason: string): ParsedPath => ({ kind: 'malformed', at, reason });
  const match = (pattern: RegExp, at: number): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  if (!text.startsWith('$')) return fail(0, 'a path begins with $');
  const path: (string | number)[] = [];
  let at = 1;
  while (at < text.length) {
    if (text[at] === '.') {
      if (text[at + 1] === '.') return fail(at, 'a descent leads to several places');
      const name = match(NAME, at + 1);
      if (name === undefined) return fail(at + 1, 'a member name is expected');
      path.push(name);
      at += 1 + name.length;
      continue;
    }
    if (text[at] !== '[') return fail(at, '. or [ is expected');
    const start = at + 1 + (match(BLANK, at + 1)?.length ?? 0);
    const quote = text[start];
    let end: number;
    if (quote === "'" || quote === '"') {
      const quoted = readQuoted(text, start, quote);
      if (typeof quoted === 'number') return fail(quoted, 'the quoted name is not well-formed');
      path.push(quoted.name);
      end = quoted.end;
    } else {
      const index = match(INDEX, start);
      if (index === undefined) return fail(start, 'one quoted name or index is expected');
      path.push(Number(index));
      end = start + index.length;
    }
    end += match(BLANK, end)?.length ?? 0;
    if (text[end] !== ']') return fail(end, '] is expected');
    at = end + 1;
  }
  return { kind: 'path', path };
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '/': '/',
  '\\': '\\',
};

/** The name and the first place after its closing quote; or, when it is malformed, where. */
function readQuoted(text: string, start: number, quote: string): { name: string; end: number } | number {
  let name = '';
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at] as string;
    if (character === quote) return { name, end: at + 1 };
    if (character < ' ') return at;
    if (character !== '\\') {
      name += character;
      continue;
    }
    const escaped = text[++at] ?? '';
    if (escaped === 'u') {
      const hex = text.slice(at + 1, at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) return at;
      name += String.fromCharCode(parseInt(hex, 16));
      at += 4;
    } else if (escaped === quote || Object.hasOwn(ESCAPES, escaped)) {
      name += ESCAPES[escaped] ?? quote;
    } else {
      return at;
    }
  }
  return text.length;
}

/** The value at a path, or `undefined` where there is none. */
export function valueAt(value: unknown, path: SingularPath): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (Array.isArray(found)) {
      if (typeof step !== 'number') return undefined;
      found = found[step < 0 ? found.length + step : step] as unknown;
    } else {
      if (typeof step !== 'string' || !Object.hasOwn(found, step)) return undefined;
      found = (found as Record<string, unknown>)[step];
    }
  }
  return found;
}
