import { encodeCommand } from '#codec';
import { StateError, type Command, type GroupId, type LogIndex } from '#contracts';
import { nextExpiryMs, oldestCommit } from '#state-machine';
import type { Driver } from './driver';
import { pauseAfter } from './indexes/build-pace';
import type { FieldIndexing } from './indexes/field-indexing';
import type { PlacementBug } from './moves/planted-bug';
import type { Clock, LogStore } from './ports';
import type { Replica } from './replica';

export interface HousekeepingOptions {
  readonly driver: Pick<Driver, 'all'>;
  readonly log: LogStore;
  readonly indexing: Pick<FieldIndexing, 'due'>;
  readonly clock: Omit<Clock, 'soon'>;
  readonly intervalMs: number;
  /** How far back the history of a group reaches. */
  readonly retentionOf: (group: GroupId) => {
    readonly retentionMs: number;
    readonly retentionCommits: number;
  };
  /** Entries applied since the last trim that make the next one worthwhile, and how many stay for slow followers. */
  readonly trimEveryEntries: number;
  readonly keepEntries: number;
  /** Above this many bytes the log is trimmed as far as live members allow, however few entries it holds. */
  readonly logBytes: number;
  /** Up to where the log may go although a snapshot is rolled forward through it; `undefined` when none is. */
  readonly trimmableTo: (group: GroupId) => LogIndex | undefined;
  /** Other parts of the node that look around once in a while. */
  readonly onRound: () => void;
  readonly onError: (error: Error) => void;
  readonly plantedBug: PlacementBug | undefined;
}

/** Most objects or history rows that one command removes, so that applying it never holds up the loop for long. */
const ROWS_PER_COMMAND = 256;
const PROPOSAL_TIMEOUT_MS = 10_000;
/** A long run of commands, as a build of an index is, must not keep the log from being trimmed. */
const COMMANDS_PER_TRIM = 256;

/**
 * What a node does from time to time: a leader proposes the removal of what has expired and of old history, and the
 * building of indexes (all of it happens only through the log, so a stalled leader changes nothing by itself), and every replica makes its state
 * durable and lets go of the log below it.
 */
export class Housekeeping {
  private readonly busy = new Set<Replica>();
  private readonly floors = new Map<Replica, LogIndex>();
  private cancel: () => void = () => undefined;
  private running = true;

  constructor(private readonly options: HousekeepingOptions) {
    this.schedule();
  }

  stop(): void {
    this.running = false;
    this.cancel();
  }

  private schedule(): void {
    if (!this.running) return;
    this.cancel = this.options.clock.after(this.options.intervalMs, () => {
      for (const replica of this.options.driver.all()) this.visit(replica);
      this.options.onRound();
      this.schedule();
    });
  }

  private visit(replica: Replica): void {
    if (this.busy.has(replica)) return;
    this.busy.add(replica);
    void this.tend(replica)
      .catch((error: unknown) => {
        // Losing leadership meanwhile is no news; the next leader finds the same to do. Nor is what a replica says that
        // was given up while it waited: its state is closed.
        if (!this.running || error instanceof StateError || !this.isHeld(replica)) return;
        this.options.onError(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => this.busy.delete(replica));
  }

  private isHeld(replica: Replica): boolean {
    return [...this.options.driver.all()].includes(replica);
  }

  private async tend(replica: Replica): Promise<void> {
    // A leader that does not know yet what was decided before it may have a freeze ahead of it in its log.
    for (let proposed = 1; this.running && replica.knowsAll; proposed++) {
      const command = this.due(replica) ?? (await this.dueToIndexes(replica));
      if (command === undefined) break;
      const { clock } = this.options;
      const bytes = encodeCommand(command, clock.wallMs());
      const [startMs, from] = [clock.monotonicMs(), replica.applied];
      const outcome = await replica.propose(bytes, startMs + PROPOSAL_TIMEOUT_MS);
      // What is refused now, as while a namespace begins to move, may be right the next time.
      if (outcome.kind === 'rejected') break;
      const step = { tookMs: clock.monotonicMs() - startMs, others: replica.applied - from - 1 };
      const pauseMs = command.kind === 'build' ? pauseAfter(step) : 0;
      if (pauseMs > 0) await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      if (this.running && proposed % COMMANDS_PER_TRIM === 0) await this.trim(replica);
    }
    if (this.running) await this.trim(replica);
  }

  private dueToIndexes(replica: Replica): Promise<Command | undefined> {
    return replica.tenants.isCopying ? Promise.resolve(undefined) : this.options.indexing.due(replica);
  }

  private due(replica: Replica): Command | undefined {
    if (replica.tenants.isCopying && this.options.plantedBug !== 'tendFrozen') return undefined;
    const nowMs = this.options.clock.wallMs();
    const expiryMs = nextExpiryMs(replica.store);
    if (expiryMs !== undefined && expiryMs <= nowMs) return { kind: 'expire', limit: ROWS_PER_COMMAND };
    const { retentionMs, retentionCommits } = this.options.retentionOf(replica.group);
    const oldest = oldestCommit(replica.store);
    if (oldest === undefined) return undefined;
    const tooOld = oldest.tsMs < nowMs - retentionMs;
    const tooMany = oldest.commitSeq <= replica.commitSeq - retentionCommits;
    return tooOld || tooMany
      ? { kind: 'compact', retentionMs, retentionCommits, limit: ROWS_PER_COMMAND }
      : undefined;
  }

  private async trim(replica: Replica): Promise<void> {
    const { log, trimEveryEntries, keepEntries } = this.options;
    // Who was left out of the group waits for this before it lets go of what it holds.
    if (!replica.configured.isKept) await replica.flush();
    const applied = replica.releasable;
    const floor = this.floors.get(replica) ?? log.state(replica.group)?.floorIndex ?? 0;
    const isLarge = log.stats().bytes > this.options.logBytes;
    if (applied - floor < (isLarge ? 1 : trimEveryEntries + keepEntries)) return;
    // Large entries fill a disk long before they are many: then only what live members still need stays.
    const wanted = isLarge ? Math.min(applied, replica.neededFrom() - 1) : applied - keepEntries;
    const upTo = Math.min(wanted, this.options.trimmableTo(replica.group) ?? wanted);
    if (upTo <= floor) return;
    // Only what has reached the state's own disk may go from the log.
    await replica.flush();
    // A state that a snapshot has just replaced is ahead of its log, until that starts over after it.
    if (!this.running || log.term(replica.group, upTo as LogIndex) === undefined) return;
    log.compact(replica.group, upTo as LogIndex);
    this.floors.set(replica, upTo as LogIndex);
  }
}
