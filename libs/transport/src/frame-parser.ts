import { crc32 } from 'node:zlib';

import { CHECKED_OFFSET, FRAME_HEADER_BYTES, LENGTH_FIELD_BYTES, MIN_LENGTH, type FrameFault } from './frame';

/** Arguments and not an object: this runs for every frame of every peer. `body` may share memory with its chunk. */
export type FrameSink = (type: number, kind: number, correlation: number, body: Buffer) => void;

/**
 * Cuts a byte stream into frames.
 *
 * A frame that lies within one chunk is handed out without a copy; one that spans chunks is gathered, with one
 * copy, in a buffer of exactly its size. So the memory held between two chunks is at most one frame, and the
 * limit is checked before that buffer is made. After the first fault nothing more is ever delivered: where one
 * length is wrong, every later boundary is a guess.
 */
export class FrameParser {
  private readonly lengthField = Buffer.alloc(LENGTH_FIELD_BYTES);
  private lengthFieldFilled = 0;
  private partial: Buffer | undefined;
  private partialFilled = 0;
  private stopped = false;
  private fault: FrameFault | undefined;

  /** @param limitBytes the longest frame body that is accepted; see {@link setLimit}. */
  constructor(
    private limitBytes: number,
    private readonly sink: FrameSink,
  ) {}

  /** Holds from the next frame on: small until the peer is proven, then what the operator allows. */
  setLimit(limitBytes: number): void {
    this.limitBytes = limitBytes;
  }

  /** Nothing is delivered any more, not even from the chunk at hand: for a sink that closes the connection. */
  stop(): void {
    this.stopped = true;
    this.partial = undefined;
  }

  /** Takes the next bytes of the stream. Returns the fault that ended it, the same one ever after. */
  push(chunk: Buffer): FrameFault | undefined {
    let offset = 0;
    while (!this.stopped && offset < chunk.length) {
      if (this.partial !== undefined) offset = this.fillPartial(this.partial, chunk, offset);
      else if (this.lengthFieldFilled > 0 || chunk.length - offset < LENGTH_FIELD_BYTES)
        offset = this.fillLengthField(chunk, offset);
      else offset = this.takeFrame(chunk, offset);
    }
    return this.fault;
  }

  private takeFrame(chunk: Buffer, offset: number): number {
    const length = chunk.readUInt32BE(offset);
    const end = offset + LENGTH_FIELD_BYTES + length;
    if (end <= chunk.length) {
      if (this.acceptLength(length)) this.deliver(chunk, offset, end);
      return end;
    }
    if (!this.acceptLength(length)) return chunk.length;
    this.partial = Buffer.allocUnsafeSlow(LENGTH_FIELD_BYTES + length);
    this.partialFilled = chunk.copy(this.partial, 0, offset);
    return chunk.length;
  }

  /** Only when a chunk ends within the four bytes of a length. */
  private fillLengthField(chunk: Buffer, offset: number): number {
    const taken = chunk.copy(this.lengthField, this.lengthFieldFilled, offset);
    this.lengthFieldFilled += taken;
    if (this.lengthFieldFilled < LENGTH_FIELD_BYTES) return offset + taken;
    this.lengthFieldFilled = 0;
    const length = this.lengthField.readUInt32BE(0);
    if (!this.acceptLength(length)) return chunk.length;
    this.partial = Buffer.allocUnsafeSlow(LENGTH_FIELD_BYTES + length);
    this.partialFilled = this.lengthField.copy(this.partial);
    return offset + taken;
  }

  private fillPartial(partial: Buffer, chunk: Buffer, offset: number): number {
    const taken = chunk.copy(partial, this.partialFilled, offset);
    this.partialFilled += taken;
    if (this.partialFilled === partial.length) {
      this.partial = undefined;
      this.deliver(partial, 0, partial.length);
    }
    return offset + taken;
  }

  private acceptLength(length: number): boolean {
    if (length < MIN_LENGTH) return this.fail('malformed');
    if (length - MIN_LENGTH > this.limitBytes) return this.fail('frame_too_large');
    return true;
  }

  private deliver(buffer: Buffer, start: number, end: number): void {
    const length = end - start - LENGTH_FIELD_BYTES;
    const checksum = crc32(buffer.subarray(start + CHECKED_OFFSET, end), length);
    if (checksum !== buffer.readUInt32BE(start + LENGTH_FIELD_BYTES)) {
      this.fail('crc');
      return;
    }
    if (buffer[start + 9] !== 0) {
      this.fail('malformed');
      return;
    }
    this.sink(
      buffer[start + 8] as number,
      buffer.readUInt16BE(start + 10),
      buffer.readUInt32BE(start + 12),
      buffer.subarray(start + FRAME_HEADER_BYTES, end),
    );
  }

  private fail(fault: FrameFault): false {
    this.fault = fault;
    this.stop();
    return false;
  }
}
