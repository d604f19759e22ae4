import { ByteReader, ByteWriter, decodeBase64url, encodeBase64url } from '#codec';
import type { ReadRequest } from '#contracts';

const CURSOR_VERSION = 1;
/** Version, shape, checksum. */
const FRAME_BYTES = 9;

type PagedRequest = Extract<ReadRequest, { kind: 'list' | 'query' | 'history' }>;

/**
 * Where a page ended, as text for the client: the position of the last row looked at, bound to the query it came
 * from. It names a place and not a row, so it stays good whatever is written or deleted meanwhile.
 */
export function encodeCursor(request: PagedRequest, position: Uint8Array): string {
  const writer = new ByteWriter(FRAME_BYTES + position.length);
  writer.u8(CURSOR_VERSION);
  writer.u32(shapeOf(request));
  writer.raw(position);
  writer.u32(fnv1a(writer.view()));
  return encodeBase64url(writer.finish());
}

/** The position, or `undefined` for a cursor that is damaged or belongs to another query. */
export function decodeCursor(request: PagedRequest, cursor: string): Uint8Array | undefined {
  const bytes = decodeBase64url(cursor);
  if (!bytes || bytes.length < FRAME_BYTES) return undefined;
  const end = bytes.length - 4;
  if (new ByteReader(bytes, end).u32() !== fnv1a(bytes.subarray(0, end))) return undefined;
  const reader = new ByteReader(bytes, 0, end);
  if (reader.u8() !== CURSOR_VERSION || reader.u32() !== shapeOf(request)) return undefined;
  return reader.raw(reader.remaining);
}

/** All of a request but its limit and cursor: pages of one walk may differ in size, not in what they show. */
function shapeOf(request: PagedRequest): number {
  const writer = new ByteWriter(256);
  writer.string(request.kind);
  writer.string(request.ns);
  writeOptional(writer, request.kind === 'history' ? request.id : request.prefix);
  if (request.kind === 'query') {
    writer.string(JSON.stringify(request.where ?? []));
    writeOptional(writer, request.type);
    writer.string(request.order);
    const tags = Object.entries(request.tags ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
    writer.varint(tags.length);
    for (const [key, value] of tags) {
      writer.string(key);
      writer.string(value);
    }
    writer.varint(request.fields?.length ?? 0);
    for (const field of request.fields ?? []) writer.string(field);
  }
  return fnv1a(writer.view());
}

function writeOptional(writer: ByteWriter, text: string | undefined): void {
  writer.u8(text === undefined ? 0 : 1);
  if (text !== undefined) writer.string(text);
}

/** FNV-1a, 32 bits: against mistakes, not against forgers, who gain nothing by another position. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
