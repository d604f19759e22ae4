/** Half-open range of keys in bytewise order. */
export interface KeyRange {
  /** Inclusive. */
  readonly gte: Uint8Array;
  /** Exclusive. */
  readonly lt: Uint8Array;
  readonly reverse?: boolean;
  /** Most rows to visit; unbounded when absent. */
  readonly limit?: number;
}

/**
 * A consistent, synchronous view of one replica's key-value state. Returned bytes are the caller's to keep and
 * must not be written to. `scan` sees the state as of its call; breaking out of the loop closes it.
 */
export interface StateReader {
  get(key: Uint8Array): Uint8Array | undefined;
  scan(range: KeyRange): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
}

/** Writes of one or more commands, in order; later ones win. Taken whole or not at all. */
export interface WriteSet {
  readonly puts: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
  readonly deletes: readonly Uint8Array[];
}
