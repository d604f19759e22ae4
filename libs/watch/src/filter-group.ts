import type { CommitSeq } from '#contracts';
import { Chain, ChunkGatherer } from './chain';
import type { HubContext } from './context';
import type { CompiledFilter } from './filter';
import type { BatchFrames } from './frames';
import type { Task } from './turn-queue';
import type { Watcher } from './watcher';

/** Watchers visited in one step of a sweep. */
const SWEEP_WATCHERS = 128;
const WATCHER_COST = 4;

/** Adds the events of a batch that match, with the `id:` line on the last of them. */
export function gatherMatches(gatherer: ChunkGatherer, frames: BatchFrames, filter: CompiledFilter): void {
  const { events, commitSeq } = frames.batch;
  let last = events.length - 1;
  while (last >= 0 && !filter.matches(events[last]!)) last--;
  for (let index = 0; index <= last; index++) {
    const event = events[index]!;
    if (index === last) gatherer.add(frames.frame(index, true), event.kind, frames.receivedMs, commitSeq);
    else if (filter.matches(event)) gatherer.add(frames.frame(index, false), event.kind, frames.receivedMs);
  }
}

/** The live watchers of one namespace with one filter: they read the same chain of chunks, each at its pace. */
export class FilterGroup implements Task {
  queued = false;
  /** Those at the live end; who still catches up is only counted in `members`. */
  readonly live = new Set<Watcher>();
  readonly blocked = new Set<Watcher>();
  members = 0;
  readonly chain: Chain;
  private sweep: Iterator<Watcher, undefined> | undefined;
  private sweptTail: unknown;

  constructor(
    private readonly context: HubContext,
    readonly filter: CompiledFilter,
    through: CommitSeq,
  ) {
    this.chain = new Chain(through);
  }

  append(run: readonly BatchFrames[]): void {
    if (this.live.size === 0) return;
    const before = this.chain.tail;
    const gatherer = new ChunkGatherer(this.chain);
    for (const frames of run) gatherMatches(gatherer, frames, this.filter);
    gatherer.cut();
    if (this.chain.tail === before) return;
    for (const watcher of this.blocked) watcher.checkBuffer();
    this.context.queue.add(this);
  }

  /** Hands what is new to some of the watchers, and goes round until all have come to the tail or are blocked. */
  step(): number {
    const nowMs = this.context.clock.monotonicMs();
    if (this.sweep === undefined) {
      this.sweep = this.live.values();
      this.sweptTail = this.chain.tail;
    }
    let writes = 0;
    for (let visited = 0; visited < SWEEP_WATCHERS; visited++) {
      const { value } = this.sweep.next();
      if (value === undefined) {
        this.sweep = undefined;
        if (this.sweptTail !== this.chain.tail) this.context.queue.add(this);
        return visited + writes * WATCHER_COST;
      }
      writes += value.flush(nowMs);
    }
    this.context.queue.add(this);
    return SWEEP_WATCHERS + writes * WATCHER_COST;
  }
}
