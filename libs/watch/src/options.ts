import type { Clock } from './clock';
import type { ChangeSource, WatchDropReason } from './types';

/** Every bound of the hub. Counts and bytes are per node unless they say otherwise. */
export interface WatchLimits {
  readonly maxWatchers: number;
  /** Watchers of one owner (token) at a time. */
  readonly maxWatchersPerOwner: number;
  /** Events, and bytes, that may wait for one watcher; one more and it gets `OVERFLOW`. */
  readonly bufferEvents: number;
  readonly bufferBytes: number;
  /** Idle time after which a watcher is told how far its stream has come. */
  readonly bookmarkMs: number;
  /** Time without events after which a comment keeps proxies awake. */
  readonly keepAliveMs: number;
  /** Time without a `drained` after which a blocked sink is given up. */
  readonly stallMs: number;
  /** About how much of the history, or of the state, is read in one turn for one watcher. */
  readonly pageBytes?: number;
  /** What an `OVERFLOW` asks the client to wait before it resumes. */
  readonly retryAfterMs?: number;
}

/**
 * How changes came to the hub: applied `local`ly, over `nats`, from a `peer` that holds the namespace, or read from
 * the `log`'s history because they were missed.
 */
export type WatchEventSource = 'local' | 'nats' | 'peer' | 'log';
export const WATCH_EVENT_SOURCES: readonly WatchEventSource[] = ['local', 'nats', 'peer', 'log'];

export type WatchEventType = 'PUT' | 'DELETE' | 'BOOKMARK' | 'OVERFLOW' | 'END';

/** Where the hub reports its numbers. Plain calls on the hub's turn: they must be cheap and must not throw. */
export interface WatchObserver {
  /** Watchers open now. */
  clients(count: number): void;
  /** Events handed to sinks since the last call. */
  events(type: WatchEventType, count: number): void;
  /** Events of watched namespaces that were new to the hub since the last call. */
  received(source: WatchEventSource, count: number): void;
  dropped(reason: WatchDropReason): void;
  /** Events that wait for blocked or unvisited watchers, summed over watchers; about every tick. */
  backlog(events: number): void;
  /** From the hub's getting a change to a sink's taking it, once per watcher and flush (the oldest change). */
  emitLag(seconds: number): void;
  /** A stream opened with a position. */
  resumed(): void;
}

export interface WatchHubOptions {
  readonly source: ChangeSource;
  readonly clock: Clock;
  readonly limits: WatchLimits;
  readonly observer: WatchObserver;
  /**
   * A namespace got its first watcher, or lost its last. Called before the first watcher's feed asks the source for
   * anything, and must not call the hub from inside.
   */
  readonly onWatched?: (ns: string, watched: boolean) => void;
  /** Runs a task on a later turn of the event loop, in order; `clock.after(0)` when absent. */
  readonly defer?: (task: () => void) => void;
}

export const PAGE_BYTES_DEFAULT = 262_144;
export const RETRY_AFTER_MS_DEFAULT = 1_000;
