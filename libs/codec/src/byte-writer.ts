import { allocate } from './slab';
import { utf8Length, writeUtf8 } from './utf8';

const TWO_32 = 0x1_0000_0000;

/** Bytes that {@link ByteWriter.varint} takes for `value`. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Bytes that {@link ByteWriter.string} takes for a string of `byteLength` bytes. */
export function sizedLength(byteLength: number): number {
  return varintLength(byteLength) + byteLength;
}

/**
 * Writes numbers and strings one after another. Fixed-width numbers are big-endian, so that they order as bytes.
 * Give the exact capacity where it is known: then nothing is copied.
 */
export class ByteWriter {
  private buffer: Uint8Array;
  private end = 0;

  constructor(capacity: number) {
    this.buffer = allocate(capacity);
  }

  get length(): number {
    return this.end;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.end++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.buffer[this.end++] = value >>> 8;
    this.buffer[this.end++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.putU32(value);
  }

  /** A whole number below 2^48. */
  u48(value: number): void {
    checkRange(value, 2 ** 48 - 1);
    this.reserve(6);
    const high = Math.floor(value / TWO_32);
    this.buffer[this.end++] = high >>> 8;
    this.buffer[this.end++] = high;
    this.putU32(value >>> 0);
  }

  /** A whole number below 2^53, in eight bytes. */
  u64(value: number): void {
    checkRange(value, Number.MAX_SAFE_INTEGER);
    this.reserve(8);
    this.putU32(Math.floor(value / TWO_32));
    this.putU32(value >>> 0);
  }

  /** A whole number below 2^53: seven bits a byte, lowest first, the top bit set on all but the last (LEB128). */
  varint(value: number): void {
    checkRange(value, Number.MAX_SAFE_INTEGER);
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.end++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Bytes `start` to `end` of `source`, without a view being made for a few of them. */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    if (length > 64) {
      this.buffer.set(source.subarray(start, end), this.end);
    } else {
      for (let index = 0; index < length; index++)
        this.buffer[this.end + index] = source[start + index] as number;
    }
    this.end += length;
  }

  /** Bytes with their length before them, as a varint. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A string as UTF-8 with its length in bytes before it, as a varint. */
  string(text: string, byteLength = utf8Length(text)): void {
    this.varint(byteLength);
    this.reserve(byteLength);
    writeUtf8(this.buffer, this.end, text, byteLength);
    this.end += byteLength;
  }

  /** A string as UTF-8 with nothing before or after it. */
  text(text: string, byteLength = utf8Length(text)): void {
    this.reserve(byteLength);
    writeUtf8(this.buffer, this.end, text, byteLength);
    this.end += byteLength;
  }

  /** Overwrites four bytes written before, with a number known only afterwards. */
  patchU32(offset: number, value: number): void {
    const { end } = this;
    this.end = offset;
    this.putU32(value);
    this.end = end;
  }

  /** The bytes written, owning exactly their memory. The writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.end === this.buffer.length ? this.buffer : this.buffer.slice(0, this.end);
  }

  /** The bytes written as a view, good until the next write or {@link reset}. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.end);
  }

  /** Starts over in the same memory. */
  reset(): void {
    this.end = 0;
  }

  private putU32(value: number): void {
    this.buffer[this.end++] = value >>> 24;
    this.buffer[this.end++] = value >>> 16;
    this.buffer[this.end++] = value >>> 8;
    this.buffer[this.end++] = value;
  }

  private reserve(length: number): void {
    const needed = this.end + length;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.end));
    this.buffer = larger;
  }
}

function checkRange(value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum)
    throw new RangeError(`number out of range: ${value}`);
}
