import { CodecError } from './codec-error';
import { decodeUtf8 } from './utf8';

const TWO_32 = 0x1_0000_0000;

/** Reads what a `ByteWriter` wrote. Throws {@link CodecError} past the end and on numbers of 2^53 or more. */
export class ByteReader {
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    private readonly end = bytes.length,
  ) {}

  get remaining(): number {
    return this.end - this.position;
  }

  u8(): number {
    return this.bytes[this.advance(1)] as number;
  }

  u16(): number {
    const at = this.advance(2);
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number);
  }

  u32(): number {
    return this.u32At(this.advance(4));
  }

  u48(): number {
    const high = this.u16();
    return high * TWO_32 + this.u32();
  }

  u64(): number {
    const high = this.u32();
    const low = this.u32();
    if (high > 0x1f_ffff) throw new CodecError('number of 2^53 or more');
    return high * TWO_32 + low;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new CodecError('number of 2^53 or more');
  }

  /** The next `length` bytes, as a view of the same memory. */
  raw(length: number): Uint8Array {
    const at = this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  sized(): Uint8Array {
    return this.raw(this.varint());
  }

  string(): string {
    const length = this.varint();
    const at = this.advance(length);
    return decodeUtf8(this.bytes, at, at + length);
  }

  /** Passes over `length` bytes and gives where they began. */
  advance(length: number): number {
    const at = this.position;
    if (length > this.end - at)
      throw new CodecError(`${length} bytes expected where ${this.end - at} are left`);
    this.position = at + length;
    return at;
  }

  /** Nothing may be left over: bytes nobody reads are a sign of a format nobody knows. */
  expectEnd(what: string): void {
    if (this.remaining !== 0) throw new CodecError(`${this.remaining} bytes left over after ${what}`);
  }

  private u32At(at: number): number {
    const bytes = this.bytes;
    return (
      (bytes[at] as number) * 0x100_0000 +
      (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
    );
  }
}
