import type { ChangeBatch, CommitSeq } from '#contracts';
import type { HubContext } from './context';
import type { CompiledFilter } from './filter';
import { FilterGroup } from './filter-group';
import { BatchFrames, bookmarkFrame } from './frames';
import type { Task } from './turn-queue';
import type { WatchEventSource } from './options';
import type { ChangePage } from './types';
import type { Watcher } from './watcher';

/** Batches encoded in one step, and batches kept that the local replica has not applied yet. */
const RUN_BATCHES = 256;
const AHEAD_BATCHES = 1_024;
const BATCH_COST = 3;
const PAGE_COST = 300;

/**
 * One watched namespace. Invariant: `through <= received`; every change of the namespace at or below `through` is
 * in the chains, every one between the two is pending, and the live watchers' streams are complete up to
 * `through` once they are at their chain's tail.
 */
export class Feed implements Task {
  queued = false;
  readonly watchers = new Set<Watcher>();
  through: CommitSeq;
  private received: CommitSeq;
  private pending: BatchFrames[] = [];
  /** Reading a gap from the source, a page a step. */
  private filling = false;
  /** A page of the gap was asked for and is on its way. */
  private awaited = false;
  /** Who is further than this feed and wants to be told when it has moved. */
  private readonly waiting = new Set<Watcher>();
  /** Batches that a bus brought before the local replica applied them: who catches up cannot read them yet. */
  private ahead: ChangeBatch[] = [];
  private readonly groups = new Map<string, FilterGroup>();
  private refreshDueMs: number;
  private bookmark: { readonly position: CommitSeq; readonly frame: Uint8Array } | undefined;

  constructor(
    private readonly context: HubContext,
    readonly ns: string,
  ) {
    this.through = this.received = context.source.position(ns);
    this.refreshDueMs = context.clock.monotonicMs() + context.limits.bookmarkMs;
  }

  /** The newest position that a stream can be complete up to: what was applied here, or came over a bus. */
  position(): CommitSeq {
    const applied = this.context.source.position(this.ns);
    return applied > this.received ? applied : this.received;
  }

  publish(batch: ChangeBatch, source: WatchEventSource): void {
    if (batch.commitSeq <= this.received) return;
    if (batch.prevCommitSeq > this.received) {
      if (!this.filling) this.fill();
      // What the fill did not reach comes with its next pages, or when this replica has applied it.
      if (batch.commitSeq <= this.received || batch.prevCommitSeq > this.received) return;
    }
    this.take(batch, source);
  }

  /** Somebody knows of a change at `position`: reads it if it was not seen. */
  notice(position: CommitSeq): void {
    if (position > this.received && !this.filling) this.fill();
  }

  /** A page that came by itself: as good as one that was asked for. */
  supply(from: CommitSeq, page: ChangePage): void {
    if (from > this.received + 1) return;
    const { source } = this.context;
    if (source.firstAvailable(this.ns) > this.received + 1) this.lose(source.position(this.ns));
    else this.absorb(page, 'peer');
  }

  /** Whether more will come with the next turns. */
  isBusy(): boolean {
    return this.pending.length > 0 || (this.filling && !this.awaited);
  }

  /** Gives the watcher a step when this feed has come further. */
  wakeWhenFurther(watcher: Watcher): void {
    this.waiting.add(watcher);
  }

  step(): number {
    // The last watcher left while the feed stood in the queue, and the hub has forgotten it.
    if (this.watchers.size === 0) return 0;
    const before = this.through;
    const run = this.pending.length <= RUN_BATCHES ? this.pending : this.pending.slice(0, RUN_BATCHES);
    this.pending = run === this.pending ? [] : this.pending.slice(RUN_BATCHES);
    if (run.length > 0) for (const group of this.groups.values()) group.append(run);
    const last = run[run.length - 1];
    if (this.pending.length === 0) this.through = this.received;
    else if (last !== undefined) this.through = last.batch.commitSeq;
    let cost = run.length * BATCH_COST * this.groups.size;
    if (this.filling && !this.awaited && this.pending.length === 0) {
      this.fill();
      cost += PAGE_COST;
    }
    if (this.isBusy()) this.context.queue.add(this);
    // Only then: two that wait would otherwise wake each other for ever, each by its own look at the feed.
    if (this.through > before) this.wakeWaiting();
    return cost;
  }

  /** Encodes what is pending and, if the source is known to be at `position`, reads on towards it. */
  advanceTo(position: CommitSeq): void {
    if (position > this.received && !this.filling) this.fill();
    this.step();
  }

  /** Now and then: a lost last message is noticed, and bookmarks move on with the replica. */
  refresh(nowMs: number): void {
    if (nowMs < this.refreshDueMs) return;
    this.refreshDueMs = nowMs + this.context.limits.bookmarkMs;
    if (!this.filling && this.pending.length === 0) this.fill();
  }

  /** Batches after `position` that can be handed over though the source does not have them yet; none on a gap. */
  aheadOf(position: CommitSeq): readonly ChangeBatch[] {
    const rest = this.ahead.filter((batch) => batch.commitSeq > position);
    return rest[0] !== undefined && rest[0].prevCommitSeq <= position ? rest : [];
  }

  join(filter: CompiledFilter): FilterGroup {
    let group = this.groups.get(filter.key);
    if (group === undefined) {
      group = new FilterGroup(this.context, filter, this.through);
      this.groups.set(filter.key, group);
    }
    group.members++;
    return group;
  }

  leave(watcher: Watcher): void {
    if (!this.watchers.delete(watcher)) throw new Error('a watcher left a feed twice');
    this.waiting.delete(watcher);
    const { group } = watcher;
    group.live.delete(watcher);
    group.blocked.delete(watcher);
    if (--group.members === 0) this.groups.delete(group.filter.key);
  }

  bookmarkFrame(position: CommitSeq): Uint8Array {
    if (this.bookmark?.position !== position) {
      this.bookmark = { position, frame: bookmarkFrame(this.ns, position) };
    }
    return this.bookmark.frame;
  }

  private take(batch: ChangeBatch, source: WatchEventSource): void {
    this.context.tally.received[source] += batch.events.length;
    this.pending.push(new BatchFrames(batch, this.context.clock.monotonicMs()));
    this.received = batch.commitSeq;
    if (batch.commitSeq > this.context.source.position(this.ns)) {
      this.ahead.push(batch);
      if (this.ahead.length > AHEAD_BATCHES) this.ahead.shift();
    } else if (this.ahead.length > 0) {
      this.ahead = [];
    }
    this.context.queue.add(this);
  }

  /** One page of what the source has and the feed does not. */
  private fill(): void {
    const { source, limits } = this.context;
    const position = source.position(this.ns);
    this.filling = false;
    if (position <= this.received) return;
    const from = (this.received + 1) as CommitSeq;
    if (source.firstAvailable(this.ns) > from) {
      this.lose(position);
      return;
    }
    const page = source.changes(this.ns, from, limits.pageBytes, (later) => this.filled(from, later));
    if (page === undefined) this.filling = this.awaited = true;
    else this.fillWith(from, page);
  }

  /** A page has come; without one, the next hint or the next refresh asks again. */
  private filled(from: CommitSeq, page: ChangePage | undefined): void {
    this.filling = this.awaited = false;
    if (this.watchers.size === 0) return;
    const { source } = this.context;
    if (page === undefined) return;
    // What a bus brought meanwhile does not have to be in the history any more.
    if (source.firstAvailable(this.ns) > this.received + 1) this.lose(source.position(this.ns));
    else this.fillWith(from, page);
  }

  private wakeWaiting(): void {
    for (const watcher of this.waiting) this.context.queue.add(watcher);
    this.waiting.clear();
  }

  private fillWith(from: CommitSeq, page: ChangePage): void {
    this.absorb(page, 'log');
    this.filling = page.through >= from && this.received < this.context.source.position(this.ns);
    if (this.filling) this.context.queue.add(this);
  }

  private absorb(page: ChangePage, source: WatchEventSource): void {
    for (const batch of page.batches) if (batch.commitSeq > this.received) this.take(batch, source);
    if (page.through > this.received) this.received = page.through;
    if (this.pending.length === 0) this.through = this.received;
    this.wakeWaiting();
  }

  /** Retention overtook the feed: the live streams cannot go on, and their resumption will be answered 410. */
  private lose(position: CommitSeq): void {
    this.pending = [];
    this.ahead = [];
    this.through = this.received = position;
    this.wakeWaiting();
    for (const group of this.groups.values()) {
      for (const watcher of group.live) watcher.drop('compacted');
    }
  }
}
