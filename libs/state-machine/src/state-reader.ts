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
  /** Rows of a range as of this call, for point reads later on. */
  pin(range: Pick<KeyRange, 'gte' | 'lt'>): PinnedRows;
}

/** Pins old data while it is open: it must be closed. */
export interface PinnedRows {
  /** The row as it was; `undefined` for a key that had none or lies outside of the range. */
  get(key: Uint8Array): Uint8Array | undefined;
  close(): void;
}

/** Writes of one or more commands, in order; later ones win. Taken whole or not at all. */
export interface WriteSet {
  readonly puts: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
  readonly deletes: readonly Uint8Array[];
}
