import type { ChangeBatch, CommitSeq, ScannedObject } from '#contracts';
import { Chain, ChunkGatherer, type Link } from './chain';
import type { HubContext } from './context';
import type { Feed } from './feed';
import { gatherMatches, type FilterGroup } from './filter-group';
import { BatchFrames, KEEP_ALIVE_FRAME, endFrame, initialFrame, overflowFrame } from './frames';
import type { Task } from './turn-queue';
import type {
  ChangePage,
  ObjectScan,
  WatchDropReason,
  WatchEndReason,
  WatchFilter,
  WatchHandle,
  WatchRequest,
  WatchSink,
} from './types';

/** Nothing was said yet about how far the stream is complete. */
const NO_POSITION = -1 as CommitSeq;
const NOT_BLOCKED = -1;
/** Pages or turns of the feed that one step goes through before others get their turn. */
const ROUNDS = 4;
const STEP_COST = 10;
const PAGE_COST = 300;

/**
 * One client's stream. It reads the state (`initial`), then history (`catching_up`), a page at a time and only
 * while its sink takes it, until it is where the feed is; from there (`live`) it reads its group's chain.
 */
export class Watcher implements WatchHandle, Task {
  queued = false;
  readonly owner: string | undefined;
  readonly group: FilterGroup;
  private readonly expiresAtMs: number;
  private stage: 'initial' | 'catching_up' | 'live' | 'closed';
  /** Everything that matches at or below this was handed to the sink, and a resumption after it loses nothing. */
  private position: CommitSeq = NO_POSITION;
  /** What `position` becomes when the rest of the chain is handed over: how far the last page was read. */
  private readThrough: CommitSeq = NO_POSITION;
  private at: Link;
  private scan: ObjectScan | undefined;
  private initialFilter: WatchFilter | undefined;
  /** Objects of the state were handed over, and no position yet. */
  private saidState = false;
  /** A page was asked for and is on its way. */
  private awaited = false;
  private blockedSinceMs = NOT_BLOCKED;
  private bookmarkDueMs = 0;
  private keepAliveDueMs = 0;

  constructor(
    private readonly context: HubContext,
    readonly feed: Feed,
    group: FilterGroup,
    private readonly sink: WatchSink,
    request: WatchRequest,
    start: CommitSeq,
  ) {
    this.group = group;
    this.owner = request.owner;
    this.expiresAtMs = request.expiresAtMs ?? Infinity;
    const nowMs = context.clock.monotonicMs();
    this.bookmarkDueMs = nowMs + context.limits.bookmarkMs;
    this.keepAliveDueMs = nowMs + context.limits.keepAliveMs;
    this.at = new Chain(NO_POSITION).tail;
    if (request.initial) {
      this.stage = 'initial';
      this.initialFilter = request.filter;
    } else {
      this.stage = 'catching_up';
      this.loadBookmark(start);
    }
    context.queue.add(this);
  }

  drained(): void {
    if (this.stage === 'closed' || this.blockedSinceMs === NOT_BLOCKED) return;
    this.blockedSinceMs = NOT_BLOCKED;
    this.group.blocked.delete(this);
    this.context.queue.add(this);
  }

  close(): void {
    if (this.stage === 'closed') return;
    this.stage = 'closed';
    this.scan?.close();
    this.scan = undefined;
    this.at = new Chain(NO_POSITION).tail;
    this.context.release(this);
  }

  /** Lets the client go with the position to resume from; without one said yet it can only start over. */
  drop(reason: WatchDropReason): void {
    if (this.stage === 'closed') return;
    if (this.position !== NO_POSITION) {
      this.context.tally.overflows++;
      this.sink.write(overflowFrame(this.position, this.context.limits.retryAfterMs));
    }
    this.sink.end(reason);
    this.context.observer.dropped(reason);
    this.close();
  }

  finish(reason: WatchEndReason): void {
    if (this.stage === 'closed') return;
    this.context.tally.ends++;
    this.sink.write(endFrame(reason));
    this.sink.end(reason);
    this.close();
  }

  /** Events that wait for this watcher. */
  backlog(): number {
    return this.stage === 'live' ? this.group.chain.tail.eventsEnd - this.at.eventsEnd : 0;
  }

  /** Of a live watcher: what waits must stay within its bounds. */
  checkBuffer(): void {
    const { tail } = this.group.chain;
    const { bufferEvents, bufferBytes } = this.context.limits;
    const excess =
      tail.eventsEnd - this.at.eventsEnd > bufferEvents || tail.bytesEnd - this.at.bytesEnd > bufferBytes;
    if (excess) this.drop('overflow');
  }

  /** Hands over what waits until the sink is full; answers the number of writes. */
  flush(nowMs: number): number {
    let writes = 0;
    let oldestMs = -1;
    while (this.blockedSinceMs === NOT_BLOCKED && this.stage !== 'closed') {
      const next = this.at.next;
      if (next === undefined) break;
      this.at = next;
      if (oldestMs < 0) oldestMs = next.receivedMs;
      // A group's chain knows nothing of a position that a page or a bookmark has brought this stream to.
      if (next.through > this.position) this.position = next.through;
      const { tally } = this.context;
      tally.puts += next.puts;
      tally.deletes += next.deletes;
      tally.bookmarks += next.bookmarks;
      writes++;
      this.write(next.chunk, nowMs);
    }
    if (writes === 0 || this.stage === 'closed') return writes;
    this.bookmarkDueMs = nowMs + this.context.limits.bookmarkMs;
    this.keepAliveDueMs = nowMs + this.context.limits.keepAliveMs;
    if (oldestMs >= 0) this.context.observer.emitLag((nowMs - oldestMs) / 1_000);
    if (this.stage === 'live' && this.blockedSinceMs !== NOT_BLOCKED) this.checkBuffer();
    return writes;
  }

  step(): number {
    const nowMs = this.context.clock.monotonicMs();
    let cost = STEP_COST;
    for (let round = 0; round < ROUNDS; round++) {
      cost += this.flush(nowMs) * STEP_COST;
      if (!this.takesMore()) return cost;
      if (this.stage === 'initial' ? !this.readState() : !this.readHistory()) return cost;
      cost += PAGE_COST;
    }
    this.context.queue.add(this);
    return cost;
  }

  /** What time brings: the end of the token, a client that reads nothing, the sign that the stream lives. */
  tick(nowMs: number, wallMs: number): void {
    if (wallMs >= this.expiresAtMs) {
      this.finish('token_expired');
    } else if (this.blockedSinceMs !== NOT_BLOCKED) {
      if (nowMs - this.blockedSinceMs >= this.context.limits.stallMs) this.drop('stalled');
    } else {
      if (this.stage !== 'live') this.context.queue.add(this);
      if (nowMs >= this.keepAliveDueMs) {
        this.keepAliveDueMs = nowMs + this.context.limits.keepAliveMs;
        this.write(KEEP_ALIVE_FRAME, nowMs);
      }
      if (nowMs >= this.bookmarkDueMs && this.blockedSinceMs === NOT_BLOCKED) this.bookmark(nowMs);
    }
  }

  private bookmark(nowMs: number): void {
    if (this.at.next !== undefined) return;
    if (this.stage === 'live') this.position = this.feed.through;
    else if (this.stage !== 'catching_up') return;
    this.bookmarkDueMs = nowMs + this.context.limits.bookmarkMs;
    this.context.tally.bookmarks++;
    this.write(this.feed.bookmarkFrame(this.position), nowMs);
  }

  private write(chunk: Uint8Array, nowMs: number): void {
    if (this.sink.write(chunk) || this.stage === 'closed') return;
    this.blockedSinceMs = nowMs;
    if (this.stage === 'live') this.group.blocked.add(this);
  }

  private takesMore(): boolean {
    const free = this.blockedSinceMs === NOT_BLOCKED && this.at.next === undefined && !this.awaited;
    return free && (this.stage === 'initial' || this.stage === 'catching_up');
  }

  private loadBookmark(position: CommitSeq): void {
    const chain = new Chain(NO_POSITION);
    this.at = chain.tail;
    const gatherer = new ChunkGatherer(chain);
    gatherer.add(this.feed.bookmarkFrame(position), 'bookmark', -1, position);
    gatherer.cut();
    this.readThrough = position;
  }

  /** One page of the state; `false` when it is on its way. */
  private readState(): boolean {
    const { source, limits } = this.context;
    const scan = (this.scan ??= source.openScan(this.feed.ns, this.initialFilter ?? {}));
    const rows = scan.next(limits.pageBytes, (later) => this.stateArrived(scan, later));
    if (rows === undefined) this.awaited = true;
    else this.loadState(scan, rows);
    return rows !== undefined;
  }

  private stateArrived(scan: ObjectScan, rows: readonly ScannedObject[] | undefined): void {
    if (this.scan !== scan) return;
    this.awaited = false;
    if (rows !== undefined) {
      this.loadState(scan, rows);
      this.context.queue.add(this);
    } else if (this.saidState) {
      this.drop('interrupted');
    } else {
      // Nothing was said yet: the next tick begins again, perhaps with another replica.
      scan.close();
      this.scan = undefined;
    }
  }

  private loadState(scan: ObjectScan, rows: readonly ScannedObject[]): void {
    const { ns } = this.feed;
    if (rows.length > 0) {
      this.saidState = true;
      const chain = new Chain(NO_POSITION);
      this.at = chain.tail;
      const gatherer = new ChunkGatherer(chain);
      for (const row of rows) gatherer.add(initialFrame(ns, row), 'put', -1);
      gatherer.cut();
    } else if (scan.exhausted !== false) {
      const { position } = scan;
      scan.close();
      this.scan = undefined;
      this.initialFilter = undefined;
      this.stage = 'catching_up';
      this.loadBookmark(position);
    }
  }

  /** One page of history, or the change to live; `false` when there is nothing to be done now. */
  private readHistory(): boolean {
    const { source, limits } = this.context;
    const { feed } = this;
    if (this.readThrough > this.position) this.position = this.readThrough;
    if (this.position > feed.through) feed.advanceTo(this.position);
    if (this.position > feed.through) {
      feed.wakeWhenFurther(this);
      return false;
    }
    if (this.position === feed.through) {
      this.goLive();
      return false;
    }
    const from = (this.position + 1) as CommitSeq;
    if (from <= source.position(feed.ns)) {
      if (source.firstAvailable(feed.ns) > from) {
        this.drop('compacted');
        return false;
      }
      const page = source.changes(feed.ns, from, limits.pageBytes, (later) => this.pageArrived(from, later));
      if (page !== undefined) this.loadBatches(page.batches, page.through);
      else this.awaited = true;
      return page !== undefined && this.readThrough > this.position;
    }
    const ahead = feed.aheadOf(this.position);
    this.loadBatches(ahead, ahead[ahead.length - 1]?.commitSeq ?? this.position);
    return ahead.length > 0;
  }

  /** Without a page the next tick asks again. */
  private pageArrived(from: CommitSeq, page: ChangePage | undefined): void {
    this.awaited = false;
    if (this.stage === 'closed' || page === undefined) return;
    if (this.context.source.firstAvailable(this.feed.ns) > from) {
      this.drop('compacted');
      return;
    }
    this.loadBatches(page.batches, page.through);
    this.context.queue.add(this);
  }

  private loadBatches(batches: readonly ChangeBatch[], through: CommitSeq): void {
    const chain = new Chain(this.position);
    this.at = chain.tail;
    const gatherer = new ChunkGatherer(chain);
    for (const batch of batches) gatherMatches(gatherer, new BatchFrames(batch, -1), this.group.filter);
    gatherer.cut();
    this.readThrough = through;
  }

  private goLive(): void {
    this.stage = 'live';
    this.at = this.group.chain.tail;
    this.group.live.add(this);
  }
}
