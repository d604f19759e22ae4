import { ByteWriter, encodeUtf8, writeOrdered } from '#codec';

/** First byte of a value in an index row: kinds of values follow each other in this order; FORMAT.md, "Field values". */
const ValueTag = {
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  string: 5,
  object: 6,
  array: 7,
} as const;

/** Of a string's UTF-8 an index row holds so many bytes: keys stay short, and order as the strings do up to there. */
export const INDEXED_STRING_BYTES = 256;

const LONE_SURROGATES = /\p{Surrogate}/gu;
const NUMBER_BYTES = 8;

/** A value as the bytes by which an index orders it. */
export interface FieldValue {
  readonly bytes: Uint8Array;
  /** Whether no other value has these bytes: not so for long strings, objects and arrays. */
  readonly isExact: boolean;
}

/** The value's bytes, which end by themselves: numbers order as numbers, strings by code point, kinds apart. */
export function fieldValue(value: unknown): FieldValue {
  switch (typeof value) {
    case 'number':
      return { bytes: numberBytes(value), isExact: true };
    case 'string':
      return stringValue(value);
    case 'boolean':
      return { bytes: Uint8Array.of(value ? ValueTag.true : ValueTag.false), isExact: true };
    default:
      if (value === null) return { bytes: Uint8Array.of(ValueTag.null), isExact: true };
      return {
        bytes: Uint8Array.of(Array.isArray(value) ? ValueTag.array : ValueTag.object),
        isExact: false,
      };
  }
}

/** With what all values of the same kind as this number or string begin. */
export function kindBytes(value: number | string): Uint8Array {
  return Uint8Array.of(typeof value === 'number' ? ValueTag.number : ValueTag.string);
}

/** Where the value that begins at `start` of a key ends. */
export function endOfFieldValue(key: Uint8Array, start: number): number {
  const tag = key[start];
  if (tag === ValueTag.number) return start + 1 + NUMBER_BYTES;
  if (tag !== ValueTag.string) return start + 1;
  for (let at = start + 1; at + 1 < key.length; at++) {
    if (key[at] !== 0) continue;
    if (key[++at] === 0x01) return at + 1;
  }
  throw new Error('an index row holds a string without an end');
}

/** IEEE 754 order made bytewise: the sign turned over, and of negative numbers all bits. -0 is 0, as it compares. */
function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(1 + NUMBER_BYTES);
  bytes[0] = ValueTag.number;
  const view = new DataView(bytes.buffer);
  view.setFloat64(1, value === 0 ? 0 : value);
  const isNegative = ((bytes[1] as number) & 0x80) !== 0;
  if (!isNegative) bytes[1] = (bytes[1] as number) | 0x80;
  else for (let at = 1; at <= NUMBER_BYTES; at++) bytes[at] = ~(bytes[at] as number);
  return bytes;
}

function stringValue(text: string): FieldValue {
  // A character has at least one byte, so no more of them can matter. Cut between bytes and not between characters:
  // only so do cut strings order as whole ones. Halves of pairs no client can send, but applying must not fail.
  const utf8 = encodeUtf8(text.slice(0, INDEXED_STRING_BYTES + 1).replace(LONE_SURROGATES, '\ufffd'));
  const end = Math.min(utf8.length, INDEXED_STRING_BYTES);
  const writer = new ByteWriter(end + 8);
  writer.u8(ValueTag.string);
  writeOrdered(writer, utf8, 0, end);
  return { bytes: writer.finish(), isExact: utf8.length < INDEXED_STRING_BYTES };
}
