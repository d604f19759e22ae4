import { CodecError } from './codec-error';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Up to here a loop over the characters is faster than a call into the runtime's encoder. */
const SHORT_CHARACTERS = 48;

/** Length of well-formed `text` in bytes of UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A pair of surrogates is two units and four bytes, so each half counts for one byte more than a unit.
    length += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return length;
}

/** Writes well-formed `text` at `offset`, where `byteLength` is its {@link utf8Length}. */
export function writeUtf8(target: Uint8Array, offset: number, text: string, byteLength: number): void {
  if (byteLength === text.length && byteLength <= SHORT_CHARACTERS) {
    for (let index = 0; index < byteLength; index++) target[offset + index] = text.charCodeAt(index);
    return;
  }
  const { written } = encoder.encodeInto(text, target.subarray(offset, offset + byteLength));
  if (written !== byteLength)
    throw new Error(`text is not well-formed: ${written} of ${byteLength} bytes written`);
}

export function encodeUtf8(text: string): Uint8Array {
  const byteLength = utf8Length(text);
  const bytes = new Uint8Array(byteLength);
  writeUtf8(bytes, 0, text, byteLength);
  return bytes;
}

/** Reads bytes `start` to `end` as UTF-8. Throws a {@link CodecError} on malformed bytes. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start <= SHORT_CHARACTERS) {
    let text = '';
    let index = start;
    for (; index < end; index++) {
      const byte = bytes[index] as number;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (index === end) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    throw new CodecError('text that is not UTF-8');
  }
}

/** Orders two well-formed strings as their UTF-8 bytes order, which is by code point and not by UTF-16 unit. */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above U+FFFF, and so sort after U+E000 to U+FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
