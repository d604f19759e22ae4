import type { Segment } from './segment';

const CHUNK_BYTES = 256 * 1024;
/** Chunks kept for the next batches: enough for the one being written and the one being gathered. */
const KEPT_CHUNKS = 16;

/** Memory that headers and small payloads are gathered in. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Lends chunks to batches, so that a busy log allocates none. */
export class ChunkPool {
  private readonly free: Chunk[] = [];

  take(): Chunk {
    const kept = this.free.pop();
    if (kept !== undefined) return kept;
    const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }

  give(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      if (this.free.length < KEPT_CHUNKS) this.free.push(chunk);
    }
  }
}

/** Records that are written with one call and synced with one call, all into one segment. */
export class Batch {
  readonly offset: number;
  readonly chunks: Chunk[] = [];
  readonly callbacks: (() => void)[] = [];
  bytes = 0;
  private readonly gathered: Uint8Array[] = [];
  private chunk: Chunk | undefined;
  private chunkUsed = 0;
  private chunkFlushed = 0;

  constructor(
    private readonly pool: ChunkPool,
    readonly segment: Segment,
    /** Every record before this one was synced before the batch is written. */
    readonly firstSequence: number,
  ) {
    this.offset = segment.usedBytes;
  }

  /** Room for `bytes` (at most a chunk's length) at the end of the batch, in {@link room} from the offset given. */
  reserve(bytes: number): number {
    if (this.chunk === undefined || this.chunkUsed + bytes > CHUNK_BYTES) {
      this.flushChunk();
      this.chunk = this.pool.take();
      this.chunks.push(this.chunk);
      this.chunkUsed = 0;
      this.chunkFlushed = 0;
    }
    const at = this.chunkUsed;
    this.chunkUsed += bytes;
    this.bytes += bytes;
    return at;
  }

  room(): Chunk {
    if (this.chunk === undefined) throw new Error('nothing was reserved');
    return this.chunk;
  }

  /** Adds bytes by reference. */
  refer(bytes: Uint8Array): void {
    this.flushChunk();
    this.gathered.push(bytes);
    this.bytes += bytes.byteLength;
  }

  /** The whole batch in order. */
  parts(): readonly Uint8Array[] {
    this.flushChunk();
    return this.gathered;
  }

  private flushChunk(): void {
    if (this.chunk === undefined || this.chunkFlushed === this.chunkUsed) return;
    this.gathered.push(this.chunk.bytes.subarray(this.chunkFlushed, this.chunkUsed));
    this.chunkFlushed = this.chunkUsed;
  }
}
