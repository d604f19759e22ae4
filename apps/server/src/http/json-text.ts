import { LIMITS, StateError } from '#contracts';
import { invalidField } from '../errors/problem';
import { DIGITS_ALWAYS_EXACT, survivesAsDouble } from './json-number';
import { jsonPathAt } from './json-path';
import { isWellFormed } from './unicode';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * Parses a request's JSON and refuses what could not be given back as it came: nesting past the limit, numbers
 * that a double changes, and halves of surrogate pairs. `__proto__` is a key like any other: `JSON.parse` makes
 * it an own property. Throws `invalid_json` or `invalid_request`.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StateError('invalid_json', positionOf(error, text));
  }
  scan(text);
  // Halves can only come by escapes: the text itself was decoded from valid UTF-8.
  if (SURROGATE_ESCAPE.test(text)) refuseLoneSurrogates(value, '');
  return value;
}

/** One pass over text that is known to be JSON. */
function scan(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > LIMITS.jsonDepth) {
        throw invalidField('body', `must not nest deeper than ${LIMITS.jsonDepth} levels`);
      }
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      i = checkNumber(text, i) - 1;
    }
  }
}

/** Index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/** Checks the number that starts here and returns the index after it. */
function checkNumber(text: string, start: number): number {
  let end = start;
  let digits = 0;
  let hasExponent = false;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code >= 0x30 && code <= 0x39) digits++;
    else if (code === 0x65 || code === 0x45) hasExponent = true;
    else if (code !== 0x2d && code !== 0x2b && code !== 0x2e) break;
  }
  if ((digits > DIGITS_ALWAYS_EXACT || hasExponent) && !survivesAsDouble(text.slice(start, end))) {
    throw invalidField(
      jsonPathAt(text, start),
      'a number that a double cannot hold exactly would be changed: send it as a string',
    );
  }
  return end;
}

function refuseLoneSurrogates(value: unknown, field: string): void {
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw invalidField(field || 'body', 'holds half of a surrogate pair');
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => refuseLoneSurrogates(item, `${field}[${index}]`));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (!isWellFormed(key)) throw invalidField(field || 'body', 'has a key with half of a surrogate pair');
      refuseLoneSurrogates(member, field ? `${field}.${key}` : key);
    }
  }
}

/** Says where the JSON breaks, without repeating any of it. */
function positionOf(error: unknown, text: string): string {
  if (text.length === 0) return 'The body is empty: a JSON value is required.';
  const position = /at position (\d+)/.exec((error as Error).message)?.[1];
  return position === undefined
    ? 'The body ends before its JSON does.'
    : `The body is not JSON: it breaks at character ${position}.`;
}
