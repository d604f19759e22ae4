import { ByteReader, ByteWriter, encodeUtf8 } from '#codec';
import type { Digest } from './object-row';
import type { StateReader } from './state-reader';

/** A piece ends with the row that takes it past so many bytes. */
const PIECE_BYTES = 65_536;
/** From 0xfe on are the replica's own rows, such as where its state was installed: they differ between replicas. */
const ALL_KEYS = { gte: Uint8Array.of(0x00), lt: Uint8Array.of(0xfe) };

/** Rows that follow each other in the state, each as its key and its value with their lengths before them. */
export interface StatePiece {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly isLast: boolean;
}

/**
 * Every row of a state, in key order and in pieces, as of the making of this; and the digest over all of them, equal
 * on replicas that have applied the same entries, whatever their batches were. It pins old data until it has ended
 * or is closed.
 */
export class StatePieces {
  private readonly rows: Iterator<readonly [key: Uint8Array, value: Uint8Array]>;
  private soFar = '';
  private closed = false;

  constructor(
    reader: StateReader,
    private readonly hash: Digest,
  ) {
    this.rows = reader.scan(ALL_KEYS)[Symbol.iterator]();
  }

  /** Digest of what {@link next} has given so far: of the whole state after the last piece. */
  get digest(): string {
    return this.soFar;
  }

  /** Throws after {@link close}: a state that was not read to its end must not look like one that was. */
  next(): StatePiece {
    if (this.closed) throw new Error('the state is not being read any more');
    const piece = new ByteWriter(PIECE_BYTES + PIECE_BYTES / 8);
    let rows = 0;
    let isLast = false;
    while (piece.length < PIECE_BYTES) {
      const row = this.rows.next();
      if (row.done === true) {
        isLast = true;
        break;
      }
      piece.sized(row.value[0]);
      piece.sized(row.value[1]);
      rows++;
    }
    const { length } = piece;
    this.soFar = digestAfter(this.soFar, piece, this.hash);
    return { bytes: piece.view().subarray(0, length), rows, isLast };
  }

  close(): void {
    this.closed = true;
    this.rows.return?.();
  }
}

/** The rows of a piece, as views of its bytes. Throws when it is not made of whole rows. */
export function* rowsOfPiece(
  bytes: Uint8Array,
): Generator<readonly [key: Uint8Array, value: Uint8Array], void> {
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) yield [reader.sized(), reader.sized()];
}

/** The digest after a piece, of the digest before it and the piece's bytes. */
export function digestOfPiece(before: string, bytes: Uint8Array, hash: Digest): string {
  const piece = new ByteWriter(bytes.length + 2 * before.length);
  piece.raw(bytes);
  return digestAfter(before, piece, hash);
}

/** The digest over every row of the state; see {@link StatePieces}. It reads everything, so it is for checks. */
export function stateDigest(reader: StateReader, digest: Digest): string {
  const pieces = new StatePieces(reader, digest);
  while (!pieces.next().isLast);
  return pieces.digest;
}

function digestAfter(before: string, piece: ByteWriter, hash: Digest): string {
  piece.raw(encodeUtf8(before));
  return hash(piece.view());
}
