import type { Checkpoint } from './checkpoint.js';

/** What a watch is to give, from where on, and how it deals with trouble. */
export interface WatchOptions {
  /** Beginning of the ids. */
  readonly prefix?: string;
  /** The type that an object must have. */
  readonly type?: string;
  /** Tags that an object must have, with these values. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The first position to give, inclusive; 1 is the beginning of the history. */
  readonly fromCommit?: number;
  /** The last position that is known; what follows it is given. */
  readonly after?: number;
  /** Gives the state as it is first, as `PUT` events, then what happens next. */
  readonly initial?: boolean;
  /** Gives `BOOKMARK` events, too. */
  readonly bookmarks?: boolean;
  /**
   * When the stream cannot simply go on (this program is too slow, or the history is gone): `throw` a
   * `ResyncRequired` (the default), or `continue` with a `RESYNC` event in the stream.
   */
  readonly resync?: 'throw' | 'continue';
  /** Where the position is kept between two runs. A position that is found there comes before the other options. */
  readonly checkpoint?: Checkpoint;
  /** Milliseconds between two saves at least; default 1,000, 0 for every position. */
  readonly checkpointIntervalMs?: number;
  /** Ends the watch: the loop is over, without an error. */
  readonly signal?: AbortSignal;
  /** Milliseconds without a sign of life (a node gives one every 5 s) until the watch reconnects; default 20,000. */
  readonly silenceMs?: number;
  /** The largest event that is read; default 16 MiB. */
  readonly maxEventBytes?: number;
  /** Told each time that the connection is lost and will be made again. */
  readonly onDisconnect?: (error: unknown) => void;
}
