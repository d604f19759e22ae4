import { crc32 } from 'node:zlib';

/** The bytes on disk; every number here is explained in FORMAT.md and changes only with the version. */
export const FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = 16;
export const RECORD_HEADER_BYTES = 48;
export const RECORD_ALIGNMENT_BYTES = 8;
/** Longest payload: far above any command, low enough that a damaged length is seen as such. */
export const MAX_PAYLOAD_BYTES = 1 << 30;

const MAGIC = Uint8Array.from([0x41, 0x53, 0x57, 0x41, 0x4c, 0x0d, 0x0a, 0x1a]);

export const RecordKind = {
  /** First record of a segment; `index` is the oldest sequence that must still be there. */
  segmentHead: 1,
  /** Appends at `index`; whatever the group had from there on is replaced. */
  entry: 2,
  /** `term`, commit in `index`, vote in the payload. */
  hardState: 3,
  /** A snapshot was installed: the group has nothing but the floor `index`, `term`. */
  reset: 4,
  /** Entries up to `index`, of `term`, are no longer needed. */
  floor: 5,
  forget: 6,
  /** An entry as it already is in the group's log, written again so that its old segment can go. */
  copy: 7,
  /** Segments that end before the sequence `index` are about to be removed. */
  trim: 8,
  /** Says nothing; proves that all before it had been synced. Written at a clean end. */
  mark: 9,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];
const HIGHEST_KIND = RecordKind.mark;

/** A record's header, decoded. */
export interface RecordHeader {
  checksum: number;
  payloadBytes: number;
  /** Checksum of the record before. */
  previous: number;
  kind: RecordKind;
  entryKind: number;
  group: number;
  /** Position among the records of its batch: all records before the batch were synced before this was written. */
  batchOffset: number;
  sequence: number;
  term: number;
  index: number;
}

export const emptyHeader = (): RecordHeader => ({
  checksum: 0,
  payloadBytes: 0,
  previous: 0,
  kind: RecordKind.mark,
  entryKind: 0,
  group: 0,
  batchOffset: 0,
  sequence: 0,
  term: 0,
  index: 0,
});

/** Bytes that a record takes in its segment: header, payload, and zeros up to the alignment. */
export function recordBytes(payloadBytes: number): number {
  const unpadded = RECORD_HEADER_BYTES + payloadBytes;
  return unpadded + paddingBytes(unpadded);
}

export function paddingBytes(unpaddedBytes: number): number {
  return -unpaddedBytes & (RECORD_ALIGNMENT_BYTES - 1);
}

/** CRC-32 (IEEE 802.3, as in zlib); `seed` continues from the bytes before. */
export function checksum(bytes: Uint8Array, seed = 0): number {
  return crc32(bytes, seed);
}

const TWO_POW_32 = 0x1_0000_0000;

/** Writes all of the header but its checksum, which is over what follows it, see {@link writeChecksum}. */
export function writeHeader(view: DataView, at: number, header: Omit<RecordHeader, 'checksum'>): void {
  view.setUint32(at + 4, header.payloadBytes, true);
  view.setUint32(at + 8, header.previous, true);
  view.setUint8(at + 12, header.kind);
  view.setUint8(at + 13, header.entryKind);
  view.setUint16(at + 14, 0, true);
  view.setUint32(at + 16, header.group, true);
  view.setUint32(at + 20, header.batchOffset, true);
  writeUint53(view, at + 24, header.sequence);
  writeUint53(view, at + 32, header.term);
  writeUint53(view, at + 40, header.index);
}

export function writeChecksum(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
}

export function writeUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / TWO_POW_32), true);
}

export function readUint53(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_POW_32;
}

/** Decodes a header without judging the checksum. False when no writer could have made it. */
export function readHeader(view: DataView, at: number, into: RecordHeader): boolean {
  const kind = view.getUint8(at + 12);
  if (kind === 0 || kind > HIGHEST_KIND || view.getUint16(at + 14, true) !== 0) return false;
  into.checksum = view.getUint32(at, true);
  into.payloadBytes = view.getUint32(at + 4, true);
  into.previous = view.getUint32(at + 8, true);
  into.kind = kind as RecordKind;
  into.entryKind = view.getUint8(at + 13);
  into.group = view.getUint32(at + 16, true);
  into.batchOffset = view.getUint32(at + 20, true);
  into.sequence = readUint53(view, at + 24);
  into.term = readUint53(view, at + 32);
  into.index = readUint53(view, at + 40);
  return (
    into.payloadBytes <= MAX_PAYLOAD_BYTES &&
    Number.isSafeInteger(into.sequence) &&
    Number.isSafeInteger(into.term) &&
    Number.isSafeInteger(into.index) &&
    into.batchOffset < into.sequence
  );
}

/** The first bytes of a segment: they say what it is and in which version, in this form for ever. */
export function writePreamble(view: DataView, at: number): void {
  for (const [position, byte] of MAGIC.entries()) view.setUint8(at + position, byte);
  view.setUint32(at + 8, FORMAT_VERSION, true);
  const covered = new Uint8Array(view.buffer, view.byteOffset + at, 12);
  view.setUint32(at + 12, checksum(covered), true);
}

/** The format version that the preamble names; `undefined` when the bytes are no preamble. */
export function readPreamble(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  if (MAGIC.some((byte, position) => bytes[position] !== byte)) return undefined;
  if (view.getUint32(12, true) !== checksum(bytes.subarray(0, 12))) return undefined;
  return view.getUint32(8, true);
}
