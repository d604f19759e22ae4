import type { CommitSeq } from '#contracts';

/**
 * One chunk that waits for its readers. Every watcher of a filter holds on to the last link it has handed over:
 * a watcher's queue is what follows, and the collector frees what no watcher has yet to read.
 */
export interface Link {
  readonly chunk: Uint8Array;
  /** Position up to which a stream is wholly delivered once this chunk was handed over. */
  readonly through: CommitSeq;
  readonly puts: number;
  readonly deletes: number;
  readonly bookmarks: number;
  /** When the hub got the oldest change in here, monotonic; negative when read back from history. */
  readonly receivedMs: number;
  /** Events and bytes of the chain up to and with this link: the difference of two links is what lies between. */
  readonly eventsEnd: number;
  readonly bytesEnd: number;
  next: Link | undefined;
}

/** Frames at least this long are links of their own, shared by all filters; smaller ones are copied together. */
const SHARED_FRAME_BYTES = 16_384;
/** About the largest chunk that is copied together. */
const CHUNK_BYTES = 65_536;
const NOTHING = new Uint8Array(0);

export type FrameKind = 'put' | 'delete' | 'bookmark';

/** A single linked list of chunks that is only ever appended to. */
export class Chain {
  tail: Link;

  constructor(through: CommitSeq) {
    this.tail = {
      chunk: NOTHING,
      through,
      puts: 0,
      deletes: 0,
      bookmarks: 0,
      receivedMs: -1,
      eventsEnd: 0,
      bytesEnd: 0,
      next: undefined,
    };
  }

  append(link: Omit<Link, 'next' | 'eventsEnd' | 'bytesEnd'>): void {
    const next: Link = {
      chunk: link.chunk,
      through: link.through,
      puts: link.puts,
      deletes: link.deletes,
      bookmarks: link.bookmarks,
      receivedMs: link.receivedMs,
      eventsEnd: this.tail.eventsEnd + link.puts + link.deletes,
      bytesEnd: this.tail.bytesEnd + link.chunk.length,
      next: undefined,
    };
    this.tail.next = next;
    this.tail = next;
  }
}

/**
 * Gathers frames into chunks at the end of a chain: one write to a socket costs more than the copy of a small
 * frame. Call {@link cut} at the end.
 */
export class ChunkGatherer {
  private frames: Uint8Array[] = [];
  private bytes = 0;
  private puts = 0;
  private deletes = 0;
  private bookmarks = 0;
  private receivedMs = -1;
  private through: CommitSeq;

  constructor(private readonly chain: Chain) {
    this.through = chain.tail.through;
  }

  /** `completes`: the position that the stream is wholly delivered to with this frame, on the last of a batch. */
  add(frame: Uint8Array, kind: FrameKind, receivedMs: number, completes?: CommitSeq): void {
    const large = frame.length >= SHARED_FRAME_BYTES;
    if (large) this.cut();
    if (this.frames.length === 0) this.receivedMs = receivedMs;
    this.frames.push(frame);
    this.bytes += frame.length;
    if (kind === 'put') this.puts++;
    else if (kind === 'delete') this.deletes++;
    else this.bookmarks++;
    if (completes !== undefined) this.through = completes;
    if (large || this.bytes >= CHUNK_BYTES) this.cut();
  }

  cut(): void {
    if (this.frames.length === 0) return;
    const { puts, deletes, bookmarks, receivedMs, through } = this;
    this.chain.append({ chunk: this.joined(), through, puts, deletes, bookmarks, receivedMs });
    this.frames = [];
    this.bytes = this.puts = this.deletes = this.bookmarks = 0;
  }

  private joined(): Uint8Array {
    const [first] = this.frames;
    if (first !== undefined && this.frames.length === 1) return first;
    const chunk = new Uint8Array(this.bytes);
    let offset = 0;
    for (const frame of this.frames) {
      chunk.set(frame, offset);
      offset += frame.length;
    }
    return chunk;
  }
}
