import type { StoredObject } from '../objects.js';

/** An object was stored. */
export interface PutEvent<Body = unknown> {
  readonly type: 'PUT';
  readonly ns: string;
  readonly id: string;
  readonly commit_seq: number;
  readonly ts: string;
  readonly object: StoredObject<Body>;
  /** The body of {@link object}. */
  readonly body: Body;
}

/** An object is gone. */
export interface DeleteEvent {
  readonly type: 'DELETE';
  readonly ns: string;
  readonly id: string;
  readonly commit_seq: number;
  readonly ts: string;
  readonly reason: 'delete' | 'expired';
  /** Never there: it lets `event.body` be read before the type is known. */
  readonly body?: undefined;
}

/** Everything that matches up to here has been delivered. Given only to who asks for `bookmarks`. */
export interface BookmarkEvent {
  readonly type: 'BOOKMARK';
  readonly ns: string;
  readonly commit_seq: number;
  readonly id?: undefined;
  readonly body?: undefined;
}

/**
 * The stream could not simply go on. After `overflow` it does, from `position`, and nothing is lost. After
 * `compacted` the history in between is gone, and what follows is the current state as `PUT` events, then what
 * happens next: whoever keeps a copy starts a new one. Given only to who asks for `resync: 'continue'`.
 */
export interface ResyncEvent {
  readonly type: 'RESYNC';
  readonly ns: string;
  readonly reason: ResyncReason;
  /** The last position that was delivered; 0 when there was none. */
  readonly position: number;
  /** Where the history begins now; only after `compacted`. */
  readonly first_available?: number;
  readonly id?: undefined;
  readonly body?: undefined;
}

/** Why a stream could not simply go on. */
export type ResyncReason = 'overflow' | 'compacted';

/** A change of the namespace. */
export type ChangeEvent<Body = unknown> = PutEvent<Body> | DeleteEvent;

/** All that a watch may give. */
export type WatchEvent<Body = unknown> = ChangeEvent<Body> | BookmarkEvent | ResyncEvent;
