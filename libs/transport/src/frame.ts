import { crc32 } from 'node:zlib';

/** The format of FORMAT.md: a change here is a new protocol version and new golden files. */
export const PROTOCOL_VERSION = 1;

/** What both sides send before their first frame, so that a stray client is told from a peer by its first bytes. */
export const PREAMBLE = Buffer.from('AGSTPEER', 'latin1');

/** length u32, crc u32, type u8, reserved u8, kind u16, correlation u32; all big-endian. */
export const FRAME_HEADER_BYTES = 16;
/** The length field counts what follows it. */
export const LENGTH_FIELD_BYTES = 4;
/** Where the bytes begin that the checksum covers directly; the length enters as its start value. */
export const CHECKED_OFFSET = 8;
/** The smallest legal value of the length field: a frame without a body. */
export const MIN_LENGTH = FRAME_HEADER_BYTES - LENGTH_FIELD_BYTES;

export const FrameType = {
  hello: 1,
  proof: 2,
  refusal: 3,
  message: 4,
  request: 5,
  answer: 6,
  error: 7,
  ping: 8,
  pong: 9,
} as const;

/** Bytes that are no frame: the stream cannot be trusted any more and the connection has to close. */
export type FrameFault = 'frame_too_large' | 'crc' | 'malformed';

/** What stands in a frame's header beside its length and checksum. */
export interface FrameHead {
  /** One of {@link FrameType}. */
  readonly type: number;
  /** The host's own kind, 0 to 65535. */
  readonly kind: number;
  /** Pairs answers with requests and pongs with pings: 0 to below 2^32. */
  readonly correlation: number;
}

/** Writes everything of the header but the checksum. `target` has room for it at `offset`. */
export function writeFrameHead(target: Buffer, offset: number, head: FrameHead, bodyBytes: number): void {
  target.writeUInt32BE(MIN_LENGTH + bodyBytes, offset);
  target[offset + 8] = head.type;
  target[offset + 9] = 0;
  target.writeUInt16BE(head.kind, offset + 10);
  target.writeUInt32BE(head.correlation, offset + 12);
}

/** Writes a whole frame at `offset` and returns where it ends. The body is copied, once. */
export function writeFrame(
  target: Buffer,
  offset: number,
  head: FrameHead,
  parts: readonly Uint8Array[],
  bodyBytes: number,
): number {
  writeFrameHead(target, offset, head, bodyBytes);
  let end = offset + FRAME_HEADER_BYTES;
  for (const part of parts) {
    target.set(part, end);
    end += part.length;
  }
  const checksum = crc32(target.subarray(offset + CHECKED_OFFSET, end), MIN_LENGTH + bodyBytes);
  target.writeUInt32BE(checksum, offset + LENGTH_FIELD_BYTES);
  return end;
}

/** Writes only the header of a frame whose body stays where it is; the checksum covers the parts all the same. */
export function writeDetachedHead(
  target: Buffer,
  offset: number,
  head: FrameHead,
  parts: readonly Uint8Array[],
  bodyBytes: number,
): number {
  writeFrameHead(target, offset, head, bodyBytes);
  const end = offset + FRAME_HEADER_BYTES;
  let checksum = crc32(target.subarray(offset + CHECKED_OFFSET, end), MIN_LENGTH + bodyBytes);
  for (const part of parts) checksum = crc32(part, checksum);
  target.writeUInt32BE(checksum, offset + LENGTH_FIELD_BYTES);
  return end;
}

/** One frame in a buffer of its own: for the few frames of a handshake. */
export function encodeFrame(head: FrameHead, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  writeFrame(frame, 0, head, [body], body.length);
  return frame;
}
