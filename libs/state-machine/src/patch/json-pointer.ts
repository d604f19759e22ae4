/** A place in a JSON value: the member names and array indexes on the way to it (RFC 6901). */
export type JsonPointer = readonly string[];

/** The pointer that `text` writes down, or `undefined` if it writes none. */
export function parseJsonPointer(text: string): JsonPointer | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const INDEX = /^(?:0|[1-9]\d{0,14})$/;

/** The array index that a token of a pointer stands for, or `undefined`: no sign, no leading zero. */
export function arrayIndex(token: string): number | undefined {
  return INDEX.test(token) ? Number(token) : undefined;
}
