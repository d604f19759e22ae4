import { ByteWriter, decodeUtf8 } from '#codec';
import type { ChangeRow } from './change-row';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

/**
 * The object's JSON with only these top-level keys of its body, each value's text as it was. A body that is not an
 * object has no keys and stays as it is.
 */
export function projectBody(version: ChangeRow, fields: ReadonlySet<string>): Uint8Array {
  const { json, body } = version;
  if (json[body.start] !== OPEN_OBJECT) return json;
  const writer = new ByteWriter(json.length);
  writer.copy(json, 0, body.start + 1);
  let first = true;
  for (const member of members(json, body.start)) {
    if (!fields.has(member.key)) continue;
    if (!first) writer.u8(COMMA);
    first = false;
    writer.copy(json, member.start, member.end);
  }
  writer.copy(json, body.end - 1, json.length);
  return writer.finish();
}

/** Members of the object that begins at `open`, in compact JSON: spans from the key's quote to the value's end. */
function* members(json: Uint8Array, open: number): Iterable<{ key: string; start: number; end: number }> {
  let at = open + 1;
  while (json[at] === QUOTE) {
    const start = at;
    const keyEnd = stringEnd(json, start);
    const end = valueEnd(json, keyEnd + 1);
    yield { key: JSON.parse(decodeUtf8(json, start, keyEnd)) as string, start, end };
    at = json[end] === COMMA ? end + 1 : end;
  }
}

/** The first byte after the string whose opening quote is at `start`. */
function stringEnd(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** The first byte after the value at `start`. */
function valueEnd(json: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const byte = json[at];
    if (byte === undefined) throw new Error('a stored body is not JSON');
    if (byte === QUOTE) {
      at = stringEnd(json, at);
      if (depth === 0) return at;
      continue;
    }
    const closes = byte === CLOSE_OBJECT || byte === CLOSE_ARRAY;
    if (depth === 0 && (closes || byte === COMMA)) return at;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (closes && --depth === 0) return at + 1;
    at++;
  }
}
