/** One change of an input. Positions are taken modulo the length, below 0 from the end, so that all fit every input. */
export type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'truncate'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'splice';
      readonly at: number;
      readonly from: number;
      readonly start: number;
      readonly length: number;
    }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'swap'; readonly at: number; readonly with: number; readonly length: number }
  | {
      readonly kind: 'number';
      readonly at: number;
      readonly width: number;
      readonly value: bigint;
      readonly littleEndian: boolean;
    };

/** An input is an entry of the pool, or bytes out of nowhere, changed a few times. */
export interface Recipe {
  readonly base: number | Uint8Array;
  readonly mutations: readonly Mutation[];
}

/** The bytes of a recipe; longer ones are cut at `maxBytes`. */
export function bake(recipe: Recipe, pool: readonly Uint8Array[], maxBytes: number): Uint8Array {
  const { base, mutations } = recipe;
  let bytes = typeof base === 'number' ? (pool[modulo(base, pool.length)] ?? new Uint8Array(0)) : base;
  for (const mutation of mutations) bytes = mutate(bytes, mutation, pool).slice(0, maxBytes);
  return bytes;
}

function mutate(bytes: Uint8Array, mutation: Mutation, pool: readonly Uint8Array[]): Uint8Array {
  const at = modulo(mutation.at, bytes.length);
  // What is put in may also come behind the end.
  const gap = modulo(mutation.at, bytes.length + 1);
  switch (mutation.kind) {
    case 'flip':
      return patched(bytes, at, [(bytes[at] ?? 0) ^ (1 << mutation.bit)]);
    case 'cut':
      return joined(bytes.subarray(0, at), bytes.subarray(at + mutation.length));
    case 'truncate':
      return bytes.subarray(0, at);
    case 'insert':
      return joined(bytes.subarray(0, gap), mutation.bytes, bytes.subarray(gap));
    case 'splice': {
      const other = pool[modulo(mutation.from, pool.length)] ?? bytes;
      const start = modulo(mutation.start, other.length);
      const piece = other.subarray(start, start + mutation.length);
      return joined(bytes.subarray(0, gap), piece, bytes.subarray(gap));
    }
    case 'repeat': {
      const piece = bytes.subarray(at, at + mutation.length);
      const copies = Array.from({ length: mutation.times }, () => piece);
      return joined(bytes.subarray(0, at), ...copies, bytes.subarray(at));
    }
    case 'swap': {
      const other = modulo(mutation.with, bytes.length);
      const here = bytes.slice(at, at + mutation.length);
      return patched(patched(bytes, at, bytes.slice(other, other + mutation.length)), other, here);
    }
    case 'number':
      return patched(bytes, at, numberBytes(mutation));
  }
}

const modulo = (position: number, length: number): number =>
  length === 0 ? 0 : ((position % length) + length) % length;

function numberBytes({ width, value, littleEndian }: Extract<Mutation, { kind: 'number' }>): number[] {
  const bytes = Array.from({ length: width }, (_, place) => Number((value >> BigInt(8 * place)) & 0xffn));
  return littleEndian ? bytes : bytes.reverse();
}

/** Overwrites from `at` on; what would lie behind the end is left out. */
function patched(bytes: Uint8Array, at: number, by: ArrayLike<number>): Uint8Array {
  const copy = bytes.slice();
  for (let place = 0; place < by.length && at + place < copy.length; place++) {
    copy[at + place] = by[place] as number;
  }
  return copy;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
