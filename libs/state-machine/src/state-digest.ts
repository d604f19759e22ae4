import { ByteWriter, encodeUtf8 } from '#codec';
import type { Digest } from './object-row';
import type { StateReader } from './state-reader';

/** Rows are digested in pieces of about this many bytes, each with the digest of what came before. */
const PIECE_BYTES = 65_536;
/** From 0xfe on are the replica's own rows, such as where its state was installed: they differ between replicas. */
const ALL_KEYS = { gte: Uint8Array.of(0x00), lt: Uint8Array.of(0xfe) };

/**
 * A digest over every row of the state: equal on replicas that have applied the same entries, whatever their
 * batches were. It reads everything, so it is for checks and snapshots.
 */
export function stateDigest(reader: StateReader, digest: Digest): string {
  const piece = new ByteWriter(2 * PIECE_BYTES);
  let soFar = '';
  for (const [key, value] of reader.scan(ALL_KEYS)) {
    piece.sized(key);
    piece.sized(value);
    if (piece.length < PIECE_BYTES) continue;
    piece.raw(encodeUtf8(soFar));
    soFar = digest(piece.view());
    piece.reset();
  }
  piece.raw(encodeUtf8(soFar));
  return digest(piece.view());
}
