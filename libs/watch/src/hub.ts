import { StateError, type ChangeBatch, type CommitSeq } from '#contracts';
import type { HubContext, Tally } from './context';
import { Feed } from './feed';
import { CompiledFilter } from './filter';
import {
  PAGE_BYTES_DEFAULT,
  RETRY_AFTER_MS_DEFAULT,
  WATCH_EVENT_SOURCES,
  type WatchEventSource,
  type WatchHubOptions,
} from './options';
import { TurnQueue } from './turn-queue';
import type { ChangePage, WatchEndReason, WatchHandle, WatchRequest, WatchSink } from './types';
import { Watcher } from './watcher';

export interface WatchStats {
  readonly clients: number;
  /** Watched namespaces. */
  readonly namespaces: number;
  /** Events that wait, summed over the watchers. */
  readonly backlogEvents: number;
}

/** Seconds that a refused client is asked to wait. */
const RETRY_AFTER_SECONDS = 5;
const TICK_MIN_MS = 10;
const TICK_MAX_MS = 1_000;

/** All watches of one node. See README.md for the invariants and the host's duties. */
export class WatchHub {
  private readonly context: HubContext;
  private readonly feeds = new Map<string, Feed>();
  private readonly owners = new Map<string, number>();
  private readonly tally: Tally = {
    puts: 0,
    deletes: 0,
    bookmarks: 0,
    overflows: 0,
    ends: 0,
    received: { local: 0, nats: 0, peer: 0, log: 0 },
  };
  private readonly onWatched: (ns: string, watched: boolean) => void;
  private readonly tickMs: number;
  private clients = 0;
  private draining = false;
  private cancelTick: (() => void) | undefined;

  constructor(options: WatchHubOptions) {
    const { source, clock, observer } = options;
    const limits = {
      ...options.limits,
      pageBytes: options.limits.pageBytes ?? PAGE_BYTES_DEFAULT,
      retryAfterMs: options.limits.retryAfterMs ?? RETRY_AFTER_MS_DEFAULT,
    };
    for (const [name, value] of Object.entries(limits)) {
      const isCount = name === 'maxWatchers' || name === 'maxWatchersPerOwner';
      if (!(value > 0) && !(isCount && value === 0))
        throw new Error(`watch limit ${name} must be above zero, not ${value}`);
    }
    this.onWatched = options.onWatched ?? (() => undefined);
    const shortestMs = Math.min(limits.bookmarkMs, limits.keepAliveMs, limits.stallMs);
    this.tickMs = Math.min(TICK_MAX_MS, Math.max(TICK_MIN_MS, shortestMs / 10));
    const defer = options.defer ?? ((task: () => void) => void clock.after(0, task));
    this.context = {
      source,
      clock,
      limits,
      observer,
      queue: new TurnQueue(defer, () => this.reportEvents()),
      tally: this.tally,
      release: (watcher) => this.release(watcher),
    };
  }

  /**
   * A batch was committed: called for every batch after it is applied on this node, in order within a namespace,
   * and besides by a bus, in any order, more than once or not at all. Never writes to a sink itself.
   */
  publish(batch: ChangeBatch, source: WatchEventSource = 'local'): void {
    this.feeds.get(batch.ns)?.publish(batch, source);
  }

  /** A bus's heartbeat: the newest change of the namespace is at `position`. Reads it if its batch was lost. */
  notice(ns: string, position: CommitSeq): void {
    this.feeds.get(ns)?.notice(position);
  }

  /**
   * A page of history, as {@link ChangeSource.changes} gives it, that nobody had to ask for: how a namespace whose
   * replica is elsewhere moves on. One that begins beyond what the feed has is ignored.
   */
  supply(ns: string, from: CommitSeq, page: ChangePage): void {
    this.feeds.get(ns)?.supply(from, page);
  }

  /**
   * Opens a stream; nothing is written before this has returned. Throws `compacted` (with `first_available`) when
   * `from` is older than the history or beyond all that was ever given out, `too_many_watchers`, or `draining`.
   */
  subscribe(request: WatchRequest, sink: WatchSink): WatchHandle {
    const { ns, from, owner, initial } = request;
    if (initial && from !== undefined) throw new Error('a watch starts with the state or at a position');
    this.admit(owner);
    const position = this.position(ns);
    const start = from === undefined ? position : this.startingAt(ns, from, position);
    const feed = this.feeds.get(ns) ?? this.begin(ns);
    const group = feed.join(new CompiledFilter(request.filter));
    const watcher = new Watcher(this.context, feed, group, sink, request, start);
    feed.watchers.add(watcher);
    if (owner !== undefined) this.owners.set(owner, (this.owners.get(owner) ?? 0) + 1);
    this.clients++;
    this.context.observer.clients(this.clients);
    if (from !== undefined) this.context.observer.resumed();
    this.cancelTick ??= this.context.clock.after(this.tickMs, this.tick);
    return watcher;
  }

  /** The source moved on without batches (a snapshot was installed): every feed reads what it missed. */
  catchUp(): void {
    for (const [ns, feed] of this.feeds) feed.notice(this.context.source.position(ns));
  }

  /** The newest position that is known here: applied by the replica or, of a watched namespace, come over a bus. */
  position(ns: string): CommitSeq {
    return this.feeds.get(ns)?.position() ?? this.context.source.position(ns);
  }

  watches(ns: string): boolean {
    return this.feeds.has(ns);
  }

  /** Ends every stream with `draining` and takes no more. */
  drain(): void {
    this.draining = true;
    for (const ns of [...this.feeds.keys()]) this.endNamespace(ns, 'draining');
  }

  /** Ends the streams of all namespaces that this node has no history of any more. */
  endNamespaces(isGone: (ns: string) => boolean, reason: WatchEndReason): void {
    for (const ns of [...this.feeds.keys()]) if (isGone(ns)) this.endNamespace(ns, reason);
  }

  /** Ends the streams of one namespace, for instance because its region changed. */
  endNamespace(ns: string, reason: WatchEndReason): void {
    const feed = this.feeds.get(ns);
    if (feed === undefined) return;
    for (const watcher of feed.watchers) watcher.finish(reason);
    this.reportEvents();
  }

  stats(): WatchStats {
    let backlogEvents = 0;
    for (const feed of this.feeds.values()) {
      for (const watcher of feed.watchers) backlogEvents += watcher.backlog();
    }
    return { clients: this.clients, namespaces: this.feeds.size, backlogEvents };
  }

  private admit(owner: string | undefined): void {
    const { maxWatchers, maxWatchersPerOwner } = this.context.limits;
    if (this.draining) throw new StateError('draining', 'the node is shutting down', { retry_after: 1 });
    const extras = { retry_after: RETRY_AFTER_SECONDS };
    if (this.clients >= maxWatchers) {
      throw new StateError('too_many_watchers', 'the node has all the watchers it takes', extras);
    }
    if (owner !== undefined && (this.owners.get(owner) ?? 0) >= maxWatchersPerOwner) {
      throw new StateError('too_many_watchers', 'the token has all the watchers it may have', extras);
    }
  }

  /** Position before `from`. Positions begin at 1, so 0 asks for the same as 1. */
  private startingAt(ns: string, from: CommitSeq, position: CommitSeq): CommitSeq {
    const first = this.context.source.firstAvailable(ns);
    const wanted = Math.max(from, 1);
    if (wanted < first || wanted > position + 1) {
      const why = wanted < first ? 'is no longer in the history' : 'was never given out here';
      throw new StateError('compacted', `position ${from} ${why}`, { first_available: first });
    }
    return (wanted - 1) as CommitSeq;
  }

  private begin(ns: string): Feed {
    this.onWatched(ns, true);
    const feed = new Feed(this.context, ns);
    this.feeds.set(ns, feed);
    return feed;
  }

  private release(watcher: Watcher): void {
    const { feed, owner } = watcher;
    feed.leave(watcher);
    if (feed.watchers.size === 0) {
      this.feeds.delete(feed.ns);
      this.onWatched(feed.ns, false);
    }
    if (owner !== undefined) {
      const count = (this.owners.get(owner) ?? 0) - 1;
      if (count > 0) this.owners.set(owner, count);
      else this.owners.delete(owner);
    }
    this.clients--;
    this.context.observer.clients(this.clients);
    if (this.clients > 0) return;
    this.cancelTick?.();
    this.cancelTick = undefined;
  }

  /** One timer for all: a timer or a closure for each of ten thousand idle clients would be most of their cost. */
  private readonly tick = (): void => {
    const { clock, observer } = this.context;
    this.cancelTick = clock.after(this.tickMs, this.tick);
    const nowMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    for (const feed of this.feeds.values()) {
      feed.refresh(nowMs);
      for (const watcher of feed.watchers) watcher.tick(nowMs, wallMs);
    }
    this.reportEvents();
    observer.backlog(this.stats().backlogEvents);
  };

  private reportEvents(): void {
    const { tally } = this;
    const { observer } = this.context;
    if (tally.puts > 0) observer.events('PUT', tally.puts);
    if (tally.deletes > 0) observer.events('DELETE', tally.deletes);
    if (tally.bookmarks > 0) observer.events('BOOKMARK', tally.bookmarks);
    if (tally.overflows > 0) observer.events('OVERFLOW', tally.overflows);
    if (tally.ends > 0) observer.events('END', tally.ends);
    for (const source of WATCH_EVENT_SOURCES) {
      if (tally.received[source] > 0) observer.received(source, tally.received[source]);
      tally.received[source] = 0;
    }
    tally.puts = tally.deletes = tally.bookmarks = tally.overflows = tally.ends = 0;
  }
}
