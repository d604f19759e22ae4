import type { StoredObject } from '../objects.js';

/** An object was stored. */
export interface PutEvent<Body = unknown> {
  /** Tells the kinds of events apart. */
  readonly type: 'PUT';
  /** The namespace that is watched. */
  readonly ns: string;
  /** The object that was stored. */
  readonly id: string;
  /** The version that was stored. */
  readonly commit_seq: number;
  /** When it was committed, RFC 3339. */
  readonly ts: string;
  /** The object as it is since then. */
  readonly object: StoredObject<Body>;
  /** The body of {@link object}. */
  readonly body: Body;
}

/** An object is gone. */
export interface DeleteEvent {
  /** Tells the kinds of events apart. */
  readonly type: 'DELETE';
  /** The namespace that is watched. */
  readonly ns: string;
  /** The object that is gone. */
  readonly id: string;
  /** The position of the deletion. */
  readonly commit_seq: number;
  /** When it was committed, RFC 3339. */
  readonly ts: string;
  /** Whether it was deleted, or its time was over. */
  readonly reason: 'delete' | 'expired';
  /** Never there: it lets `event.body` be read before the type is known. */
  readonly body?: undefined;
}

/** Everything that matches up to here has been delivered. Given only to who asks for `bookmarks`. */
export interface BookmarkEvent {
  /** Tells the kinds of events apart. */
  readonly type: 'BOOKMARK';
  /** The namespace that is watched. */
  readonly ns: string;
  /** How far the stream has come. */
  readonly commit_seq: number;
  /** Never there: a bookmark is about no object. */
  readonly id?: undefined;
  /** Never there: a bookmark is about no object. */
  readonly body?: undefined;
}

/**
 * The stream could not simply go on. After `overflow` it does, from `position`, and nothing is lost. After
 * `compacted` the history in between is gone, and what follows is the current state as `PUT` events, then what
 * happens next: whoever keeps a copy starts a new one. Given only to who asks for `resync: 'continue'`.
 */
export interface ResyncEvent {
  /** Tells the kinds of events apart. */
  readonly type: 'RESYNC';
  /** The namespace that is watched. */
  readonly ns: string;
  /** Whether this program is too slow, or the history is gone. */
  readonly reason: ResyncReason;
  /** The last position that was delivered; 0 when there was none. */
  readonly position: number;
  /** Where the history begins now; only after `compacted`. */
  readonly first_available?: number;
  /** Never there: it is about no object. */
  readonly id?: undefined;
  /** Never there: it is about no object. */
  readonly body?: undefined;
}

/** Why a stream could not simply go on. */
export type ResyncReason = 'overflow' | 'compacted';

/** A change of the namespace. */
export type ChangeEvent<Body = unknown> = PutEvent<Body> | DeleteEvent;

/** All that a watch may give. */
export type WatchEvent<Body = unknown> = ChangeEvent<Body> | BookmarkEvent | ResyncEvent;
