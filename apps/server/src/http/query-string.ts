import { StateError } from '#contracts';
import { invalidField } from '../errors/problem';

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/**
 * The query parameters of a URL, decoded strictly: a bad escape, a repeated name or one that `isKnown` does not
 * know is `invalid_request`, so that a misspelt parameter is never ignored in silence.
 */
export function queryParameters(
  url: string,
  isKnown: (name: string) => boolean,
): ReadonlyMap<string, string> {
  const question = url.indexOf('?');
  if (question === -1 || question === url.length - 1) return NO_PARAMETERS;
  const parameters = new Map<string, string>();
  for (const part of url.slice(question + 1).split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    if (!isKnown(name)) throw invalidField(name, 'is not a parameter of this request');
    if (parameters.has(name)) throw invalidField(name, 'is given more than once');
    parameters.set(name, equals === -1 ? '' : decode(part.slice(equals + 1)));
  }
  return parameters;
}

/** A whole number written in digits alone, within the bounds (inclusive). */
export function wholeNumberParameter(
  parameters: ReadonlyMap<string, string>,
  name: string,
  bounds: { readonly low: number; readonly high: number },
): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= bounds.low && value <= bounds.high) return value;
  throw invalidField(name, `must be a whole number from ${bounds.low} to ${bounds.high}`);
}

/** `true` or `false`. */
export function booleanParameter(parameters: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalidField(name, 'must be true or false');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new StateError('invalid_request', 'The query string is not percent-encoded UTF-8.');
  }
}
