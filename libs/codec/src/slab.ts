const SLAB_BYTES = 65_536;
/** Up to here the engine keeps typed arrays on its own heap, which is cheaper still. */
const SMALL_BYTES = 64;
const LARGE_BYTES = 4_096;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/**
 * Zeroed memory of exactly `length` bytes for something that is written once and does not live long: commands, rows
 * on their way to the disk, answers. Middle-sized pieces are cut from a shared slab, because an allocation of their
 * own costs more than filling them. Whoever keeps one for long keeps its slab, and should copy it.
 */
export function allocate(length: number): Uint8Array {
  if (length <= SMALL_BYTES || length > LARGE_BYTES) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const piece = new Uint8Array(slab, used, length);
  used += length;
  return piece;
}
