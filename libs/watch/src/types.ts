import type { ChangeBatch, CommitSeq, ScannedObject, Tags } from '#contracts';

/** What a watcher wants to see of a namespace. All given conditions must hold. */
export interface WatchFilter {
  readonly prefix?: string;
  readonly type?: string;
  readonly tags?: Tags;
}

export interface WatchRequest {
  readonly ns: string;
  readonly filter: WatchFilter;
  /** First position wanted, inclusive; the stream starts with what comes next when absent. */
  readonly from?: CommitSeq;
  /** Send the current state first. Excludes `from`. */
  readonly initial: boolean;
  /** When the watcher's token ends, in milliseconds since 1970; the stream ends then. */
  readonly expiresAtMs?: number;
  /** Whose watch it is, for the limit per token; never logged. */
  readonly owner?: string;
}

/** Why the server ends a stream, in an `END` event. */
export type WatchEndReason = 'token_expired' | 'draining' | 'region_changed';

/**
 * Why a watcher was let go without being at fault of its own request: its buffer was full (`overflow`), its sink
 * took nothing for too long (`stalled`), the history it had yet to read is gone (`compacted`), or the scan of the
 * state that it was reading broke off (`interrupted`).
 */
export type WatchDropReason = 'overflow' | 'stalled' | 'compacted' | 'interrupted';

/** Where a watcher's bytes go. Chunks are whole SSE frames, shared between watchers, never written to. */
export interface WatchSink {
  /**
   * Hands a chunk over; it is taken in any case, and `false` asks to wait for {@link WatchHandle.drained}. Must
   * not throw, and is never called before `subscribe` has returned.
   */
  write(chunk: Uint8Array): boolean;
  /**
   * The server ends the stream after what was written; nothing is written later. A stalled client will not read
   * that either: the host cuts a connection that is not flushed within its own grace time.
   */
  end(cause?: WatchEndReason | WatchDropReason): void;
}

export interface WatchHandle {
  /** The sink can take more. Called after a `write` that answered `false` has returned, never from inside it. */
  drained(): void;
  /** The client went away. Idempotent. */
  close(): void;
}

/**
 * Where an answer goes that could not be given at once: called once, on a later turn; without an answer when it
 * could not be had now, and then the asker may ask again.
 */
export type Arrival<Answer> = (answer: Answer | undefined) => void;

/**
 * The history that a hub falls back on: the change table of the replica on this node, or of one on another node
 * where this one holds none. The first answers at once, the second later.
 */
export interface ChangeSource {
  /** Position up to which the replica has applied; of a remote one, the newest that is known here. */
  position(ns: string): CommitSeq;
  /** First position from which history is whole (everything at or after it is still there). */
  firstAvailable(ns: string): CommitSeq;
  /**
   * Batches from `from` (inclusive) in order, at most about `maxBytes` but at least one if there is any (or a
   * `through` that moved on); and the position the scan came to. `undefined` says that the page comes to `arrive`,
   * and by then `position` and `firstAvailable` are at least as new as the page: if `from` lies before the second,
   * the page may be without what is gone.
   */
  changes(ns: string, from: CommitSeq, maxBytes: number, arrive: Arrival<ChangePage>): ChangePage | undefined;
  /** Opens a scan of the live objects that match, as of its first page: it sees nothing that commits later. */
  openScan(ns: string, filter: WatchFilter): ObjectScan;
}

export interface ChangePage {
  readonly batches: readonly ChangeBatch[];
  /** Everything at or below this was seen by the scan, whether or not it matched. */
  readonly through: CommitSeq;
}

/** A scan pins old data while it is open: it must be closed, and a reader that stalls must lose it. */
export interface ObjectScan {
  /** Position that the scan shows; known once the first page was given. */
  readonly position: CommitSeq;
  /**
   * Says that an empty answer of `next` is only a pause: a scan whose filter is narrow stops after a bounded
   * number of rows and sets this to `false` until it has come to the end.
   */
  readonly exhausted?: boolean;
  /**
   * The next objects in id order, at most about `maxBytes`; empty at the end (see `exhausted`). `undefined` says
   * that they come to `arrive`; no answer there means that the scan is lost.
   */
  next(maxBytes: number, arrive: Arrival<readonly ScannedObject[]>): readonly ScannedObject[] | undefined;
  close(): void;
}
