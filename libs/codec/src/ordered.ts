import type { ByteReader } from './byte-reader';
import type { ByteWriter } from './byte-writer';
import { CodecError } from './codec-error';

/**
 * Writes bytes `start` to `end` of `source` so that more key can follow and keys still order as their parts do:
 * 00 becomes 00 FF, and 00 01 ends the piece. (A last piece of a key needs neither and is written as it is.)
 */
export function writeOrdered(writer: ByteWriter, source: Uint8Array, start = 0, end = source.length): void {
  let from = start;
  for (let zero = source.indexOf(0, from); zero !== -1 && zero < end; zero = source.indexOf(0, from)) {
    writer.copy(source, from, zero + 1);
    writer.u8(0xff);
    from = zero + 1;
  }
  writer.copy(source, from, end);
  writer.u16(0x0001);
}

/** Reads what {@link writeOrdered} wrote. */
export function readOrdered(reader: ByteReader): Uint8Array {
  const { bytes, position } = reader;
  const piece: number[] = [];
  for (let at = position; at + 1 < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte !== 0) {
      piece.push(byte);
      continue;
    }
    const mark = bytes[++at];
    if (mark === 0x01) {
      reader.advance(at + 1 - position);
      return Uint8Array.from(piece);
    }
    if (mark !== 0xff) break;
    piece.push(0);
  }
  throw new CodecError('key piece without an end');
}

/** The first key after all keys that begin with `prefix`. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) throw new RangeError('no key comes after all keys of this prefix');
  const end = prefix.slice(0, length);
  end[length - 1] = (end[length - 1] as number) + 1;
  return end;
}

/** Bytewise order; a prefix comes before what it begins. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = (left[index] as number) - (right[index] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
