import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '#codec';
import type { SnapshotPart } from '#replication';

/** The bytes of a part's file; FORMAT.md explains every number. */
export const PART_FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = 16;
export const BLOCK_HEADER_BYTES = 20;
/** Far above what any piece takes: a damaged length is seen as such. */
export const MAX_BLOCK_BYTES = 1 << 28;

const MAGIC = Uint8Array.from([0x41, 0x53, 0x53, 0x4e, 0x41, 0x50, 0x0d, 0x0a]);

export const BlockKind = { rows: 1, end: 2 } as const;

export interface BlockHeader {
  readonly kind: number;
  readonly rows: number;
  /** Of the rows before they were compressed. */
  readonly rawBytes: number;
  readonly storedBytes: number;
}

/** What the last block says: the part, and of which snapshot it is. */
export interface PartTrailer {
  readonly snapshotId: string;
  readonly part: Omit<SnapshotPart, 'bytes'>;
}

export function encodePreamble(): Uint8Array {
  const writer = new ByteWriter(PREAMBLE_BYTES);
  writer.raw(MAGIC);
  writer.u32(PART_FORMAT_VERSION);
  writer.u32(crc32(writer.view()));
  return writer.finish();
}

/** The version that the preamble names; `undefined` when it is none. */
export function readPreamble(bytes: Uint8Array): number | undefined {
  if (bytes.length < PREAMBLE_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const reader = new ByteReader(bytes, MAGIC.length);
  const version = reader.u32();
  return reader.u32() === crc32(bytes.subarray(0, 12)) ? version : undefined;
}

/** The header of a block, whose checksum is over the rest of the header and the stored bytes. */
export function encodeBlockHeader(header: BlockHeader, stored: Uint8Array): Uint8Array {
  const writer = new ByteWriter(BLOCK_HEADER_BYTES);
  writer.u32(header.kind);
  writer.u32(header.rows);
  writer.u32(header.rawBytes);
  writer.u32(header.storedBytes);
  writer.u32(crc32(stored, crc32(writer.view())));
  return writer.finish();
}

export function readBlockHeader(bytes: Uint8Array): BlockHeader & { readonly checksum: number } {
  const reader = new ByteReader(bytes);
  return {
    kind: reader.u32(),
    rows: reader.u32(),
    rawBytes: reader.u32(),
    storedBytes: reader.u32(),
    checksum: reader.u32(),
  };
}

export function isSound(header: Uint8Array, stored: Uint8Array): boolean {
  return (
    readBlockHeader(header).checksum === crc32(stored, crc32(header.subarray(0, BLOCK_HEADER_BYTES - 4)))
  );
}

export function encodeTrailer(trailer: PartTrailer): Uint8Array {
  return encodeUtf8(JSON.stringify(trailer));
}

/** Throws on what is no trailer. Its checksum was sound: whoever wrote it wrote what it means. */
export function decodeTrailer(bytes: Uint8Array): PartTrailer {
  return JSON.parse(decodeUtf8(bytes)) as PartTrailer;
}
