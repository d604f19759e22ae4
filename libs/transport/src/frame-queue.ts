import type { Socket } from 'node:net';

import { FRAME_HEADER_BYTES, writeDetachedHead, writeFrame, type FrameHead } from './frame';

/** Bodies up to this size are copied next to each other; larger ones stay where they are and go out by reference. */
const COPIED_BODY_BYTES = 8_192;
const FIRST_BLOCK_BYTES = 4_096;
const BLOCK_BYTES = 65_536;
/** One write ends at the first frame past this size, so that a slow peer shows progress in between. */
const WRITE_BYTES = 1_048_576;

export interface QueueLimits {
  readonly bytes: number;
  readonly frames: number;
}

/**
 * What waits to go out on one socket, bounded by bytes and frames.
 *
 * Everything queued in one tick leaves as one `writev`; while that write is under way the next batch gathers, so
 * batches grow with the load by themselves and the socket's own buffer never holds more than one of them. What was
 * handed to the socket counts against the limits until the kernel has taken it.
 */
export class FrameQueue {
  private chunks: Uint8Array[] = [];
  /** Beside each chunk the ordinal of the frame that ends with it, or 0 where a frame goes on in the next one. */
  private chunkOrdinals: number[] = [];
  private block = Buffer.alloc(0);
  private blockStart = 0;
  private blockEnd = 0;
  private pushedFrames = 0;
  private handedFrames = 0;
  private writtenFrames = 0;
  private totalWrittenBytes = 0;
  private queuedBytes = 0;
  private waitingBytes = 0;
  private flushScheduled = false;
  private writing = false;
  private closed = false;
  private readonly flushNow = (): void => this.flush();

  constructor(
    private readonly socket: Socket,
    private limits: QueueLimits,
    private readonly onWritten: (bytes: number) => void,
  ) {}

  setLimits(limits: QueueLimits): void {
    this.limits = limits;
  }

  /** Bytes that are queued here or held by the socket. */
  get bytes(): number {
    return this.queuedBytes;
  }

  /** Taken by the kernel since the connection began. */
  get writtenBytes(): number {
    return this.totalWrittenBytes;
  }

  /** Frames that are queued here or held by the socket. */
  get frames(): number {
    return this.pushedFrames - this.writtenFrames;
  }

  /**
   * Queues one frame and returns its ordinal on this connection, from 1; 0 when the queue is full or closed.
   * `parts` are not written to afterwards by anybody.
   */
  push(head: FrameHead, parts: readonly Uint8Array[], bodyBytes: number): number {
    const frameBytes = FRAME_HEADER_BYTES + bodyBytes;
    if (this.closed || this.queuedBytes + frameBytes > this.limits.bytes) return 0;
    if (this.frames >= this.limits.frames) return 0;
    if (bodyBytes <= COPIED_BODY_BYTES) {
      this.reserve(frameBytes);
      this.blockEnd = writeFrame(this.block, this.blockEnd, head, parts, bodyBytes);
    } else {
      this.reserve(FRAME_HEADER_BYTES);
      this.blockEnd = writeDetachedHead(this.block, this.blockEnd, head, parts, bodyBytes);
      this.seal(0);
      for (const part of parts) if (part.length > 0) this.addChunk(part, 0);
      this.chunkOrdinals[this.chunkOrdinals.length - 1] = this.pushedFrames + 1;
    }
    this.queuedBytes += frameBytes;
    this.waitingBytes += frameBytes;
    this.pushedFrames++;
    if (!this.flushScheduled && !this.writing) {
      this.flushScheduled = true;
      process.nextTick(this.flushNow);
    }
    return this.pushedFrames;
  }

  /** Whether any byte of that frame may have reached the peer. */
  mayHaveLeft(ordinal: number): boolean {
    return ordinal <= this.handedFrames;
  }

  /** Hands everything to the socket at once, for an orderly end; nothing can be queued any more. */
  finish(): void {
    while (this.waitingBytes > 0 && !this.closed) this.handOver();
    this.closed = true;
  }

  /** Lets go of everything that is still queued. */
  close(): void {
    this.closed = true;
    this.chunks = [];
    this.chunkOrdinals = [];
    this.block = Buffer.alloc(0);
    this.blockStart = this.blockEnd = 0;
    this.queuedBytes = this.waitingBytes = 0;
    this.writtenFrames = this.pushedFrames;
  }

  private reserve(bytes: number): void {
    if (this.block.length - this.blockEnd >= bytes) return;
    this.seal(this.pushedFrames);
    const size = this.block.length === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
    this.block = Buffer.allocUnsafeSlow(Math.max(size, bytes));
    this.blockStart = this.blockEnd = 0;
  }

  private seal(ordinal: number): void {
    if (this.blockEnd === this.blockStart) return;
    this.addChunk(this.block.subarray(this.blockStart, this.blockEnd), ordinal);
    this.blockStart = this.blockEnd;
  }

  private addChunk(chunk: Uint8Array, ordinal: number): void {
    this.chunks.push(chunk);
    this.chunkOrdinals.push(ordinal);
  }

  /** Scheduled only while no write is under way, so that one batch at a time is with the socket. */
  private flush(): void {
    this.flushScheduled = false;
    this.handOver();
  }

  private handOver(): void {
    if (this.closed || this.waitingBytes === 0) return;
    this.seal(this.pushedFrames);
    const { batch, bytes, ordinal } = this.takeBatch();
    this.waitingBytes -= bytes;
    this.handedFrames = ordinal;
    this.writing = true;
    const last = batch.length - 1;
    if (last > 0) this.socket.cork();
    for (let index = 0; index < last; index++) this.socket.write(batch[index] as Uint8Array);
    this.socket.write(batch[last] as Uint8Array, (error) => {
      if (!error && !this.socket.destroyed) this.written(bytes, ordinal);
    });
    if (last > 0) this.socket.uncork();
  }

  /** Whole frames, up to about {@link WRITE_BYTES} of them. */
  private takeBatch(): { batch: Uint8Array[]; bytes: number; ordinal: number } {
    let count = 0;
    let bytes = 0;
    let ordinal = 0;
    while (count < this.chunks.length && (ordinal === 0 || bytes < WRITE_BYTES)) {
      bytes += (this.chunks[count] as Uint8Array).length;
      ordinal = this.chunkOrdinals[count] as number;
      count++;
    }
    if (count === this.chunks.length) {
      const batch = this.chunks;
      this.chunks = [];
      this.chunkOrdinals = [];
      return { batch, bytes, ordinal };
    }
    this.chunkOrdinals.splice(0, count);
    return { batch: this.chunks.splice(0, count), bytes, ordinal };
  }

  private written(bytes: number, frames: number): void {
    this.onWritten(bytes);
    this.totalWrittenBytes += bytes;
    this.writing = false;
    if (this.closed) return;
    this.queuedBytes -= bytes;
    this.writtenFrames = frames;
    if (this.waitingBytes > 0) this.handOver();
    // Nothing waits and nothing is under way: the whole block can be written over.
    else this.blockStart = this.blockEnd = 0;
  }
}
