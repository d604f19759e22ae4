/** Little-endian numbers over bytes; see FORMAT.md, "Numbers". */

const TWO_TO_32 = 0x1_0000_0000;
/** The upper half of a number below 2^53. */
const MAX_UPPER_HALF = 0x1f_ffff;

export function writeU64(view: DataView, offset: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`not a whole number below 2^53: ${value}`);
  view.setUint32(offset, value % TWO_TO_32, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_TO_32), true);
}

/** `undefined` for 2^53 and above, which a number would round in silence. */
export function readU64(view: DataView, offset: number): number | undefined {
  const upper = view.getUint32(offset + 4, true);
  if (upper > MAX_UPPER_HALF) return undefined;
  return upper * TWO_TO_32 + view.getUint32(offset, true);
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
