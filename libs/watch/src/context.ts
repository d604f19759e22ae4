import type { Clock } from './clock';
import type { WatchEventSource, WatchLimits, WatchObserver } from './options';
import type { TurnQueue } from './turn-queue';
import type { ChangeSource } from './types';
import type { Watcher } from './watcher';

/** Events handed to sinks since the observer was last told. */
export interface Tally {
  puts: number;
  deletes: number;
  bookmarks: number;
  overflows: number;
  ends: number;
  readonly received: Record<WatchEventSource, number>;
}

/** What the parts of one hub share. */
export interface HubContext {
  readonly source: ChangeSource;
  readonly clock: Clock;
  readonly limits: Required<WatchLimits>;
  readonly observer: WatchObserver;
  readonly queue: TurnQueue;
  readonly tally: Tally;
  /** Takes a closed watcher out of the hub's books. */
  release(watcher: Watcher): void;
}
