import type { ChangeBatch, CommitSeq, Tags } from '#contracts';

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

/** Where a watcher's bytes go. Chunks are whole SSE frames, shared between watchers, never written to. */
export interface WatchSink {
  /** Hands a chunk over; `false` asks to wait for {@link WatchHandle.drained}. */
  write(chunk: Uint8Array): boolean;
  /** The server ends the stream after what was written. */
  end(): void;
}

export interface WatchHandle {
  /** The sink can take more. */
  drained(): void;
  /** The client went away. Idempotent. */
  close(): void;
}

/** The history that a hub falls back on: the local replica's change table. */
export interface ChangeSource {
  /** Position up to which the replica has applied. */
  position(ns: string): CommitSeq;
  /** First position from which history is whole (everything at or after it is still there). */
  firstAvailable(ns: string): CommitSeq;
  /** Batches from `from` (inclusive) in order, at most about `maxBytes`; and the position the scan came to. */
  changes(ns: string, from: CommitSeq, maxBytes: number): ChangePage;
  /** Opens a scan of the live objects that match, as of this call: it sees nothing that commits later. */
  openScan(ns: string, filter: WatchFilter): ObjectScan;
}

export interface ChangePage {
  readonly batches: readonly ChangeBatch[];
  /** Everything at or below this was seen by the scan, whether or not it matched. */
  readonly through: CommitSeq;
}

/** A scan pins old data while it is open: it must be closed, and a reader that stalls must lose it. */
export interface ObjectScan {
  /** Position that the scan shows. */
  readonly position: CommitSeq;
  /** The next objects in id order, at most about `maxBytes`; empty at the end. */
  next(maxBytes: number): readonly ScannedObject[];
  close(): void;
}

export interface ScannedObject {
  readonly id: string;
  readonly commitSeq: CommitSeq;
  readonly tsMs: number;
  /** The object's JSON as a GET answers it. */
  readonly json: Uint8Array;
}
