import { ByteReader, ByteWriter, CodecError } from '#codec';
import { groupId, type GroupId } from '#contracts';

/** What a follower asks the sender of a snapshot: the next chunk of a transfer, or (0) a new transfer's first. */
export interface ChunkRequest {
  readonly group: GroupId;
  readonly transfer: number;
  readonly sequence: number;
}

/** Rows of a replica's state in key order; the last chunk says how many rows there were in all. */
export interface Chunk {
  readonly transfer: number;
  readonly sequence: number;
  readonly totalRows: number | undefined;
  readonly rows: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
}

export function encodeChunkRequest({ group, transfer, sequence }: ChunkRequest): Uint8Array {
  const writer = new ByteWriter(16);
  writer.u32(group);
  writer.u64(transfer);
  writer.u32(sequence);
  return writer.finish();
}

export function decodeChunkRequest(body: Uint8Array): ChunkRequest {
  const reader = new ByteReader(body);
  return { group: groupId(reader.u32()), transfer: reader.u64(), sequence: reader.u32() };
}

const MORE = 0;
const LAST = 1;

export function encodeChunk({ transfer, sequence, totalRows, rows }: Chunk): Uint8Array {
  let bytes = 32;
  for (const [key, value] of rows) bytes += key.length + value.length + 12;
  const writer = new ByteWriter(bytes);
  writer.u64(transfer);
  writer.u32(sequence);
  writer.u8(totalRows === undefined ? MORE : LAST);
  writer.u64(totalRows ?? 0);
  writer.u32(rows.length);
  for (const [key, value] of rows) {
    writer.sized(key);
    writer.sized(value);
  }
  return writer.finish();
}

/** Throws on bytes that are not one whole chunk. */
export function decodeChunk(body: Uint8Array): Chunk {
  const reader = new ByteReader(body);
  const transfer = reader.u64();
  const sequence = reader.u32();
  const last = reader.u8() === LAST;
  const total = reader.u64();
  const count = reader.u32();
  const rows: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let at = 0; at < count; at++) rows.push([reader.sized(), reader.sized()]);
  reader.expectEnd('the snapshot chunk');
  return { transfer, sequence, totalRows: last ? total : undefined, rows };
}

/** A chunk with its digest before it, so that a byte changed on the way or in memory is noticed. */
export function seal(chunk: Uint8Array, digest: (bytes: Uint8Array) => string): Uint8Array {
  const writer = new ByteWriter(chunk.length + 80);
  writer.string(digest(chunk));
  writer.raw(chunk);
  return writer.finish();
}

export function unseal(body: Uint8Array, digest: (bytes: Uint8Array) => string): Uint8Array {
  const reader = new ByteReader(body);
  const expected = reader.string();
  const chunk = reader.raw(reader.remaining);
  if (digest(chunk) !== expected) throw new CodecError('a snapshot chunk does not match its digest');
  return chunk;
}
