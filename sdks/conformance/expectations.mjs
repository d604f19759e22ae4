// Compares a request with what a script expects of it.
import { isDeepStrictEqual } from 'node:util';

/**
 * What is wrong with a request, or `undefined`. `captured` keeps the values that later steps must have again, or must
 * not have.
 */
export function mismatch({ server, expect = {} }, seen, captured) {
  if (server !== undefined && server !== seen.server)
    return `it went to server ${seen.server}, not ${server}`;
  const url = new URL(seen.url, 'http://node');
  if (expect.method !== undefined && expect.method !== seen.method) return `expected ${expect.method}`;
  if (expect.path !== undefined && expect.path !== url.pathname) return `expected the path ${expect.path}`;
  if (expect.query !== undefined) {
    const query = Object.fromEntries(url.searchParams);
    if (!isDeepStrictEqual(query, expect.query)) return `expected the query ${JSON.stringify(expect.query)}`;
  }
  if (expect.json !== undefined && !isDeepStrictEqual(jsonOf(seen.body), expect.json)) {
    return `expected the body ${JSON.stringify(expect.json)}, not ${seen.body}`;
  }
  for (const [name, wanted] of Object.entries(expect.headers ?? {})) {
    const wrong = headerMismatch(seen.headers[name], wanted, captured);
    if (wrong !== undefined) return `header ${name}: ${wrong}`;
  }
  return undefined;
}

function headerMismatch(value, wanted, captured) {
  if (typeof wanted === 'string') return value === wanted ? undefined : `expected ${wanted}, not ${value}`;
  if (wanted.absent) return value === undefined ? undefined : 'it must not be there';
  if (value === undefined) return 'it is missing';
  if (wanted.capture !== undefined) captured.set(wanted.capture, value);
  if (wanted.same !== undefined && captured.get(wanted.same) !== value)
    return 'it is another one than before';
  if (wanted.other !== undefined && captured.get(wanted.other) === value) return 'it is the same as before';
  return undefined;
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
