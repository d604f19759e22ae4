import type { GroupId, LogIndex } from '#contracts';
import type { Driver } from '../driver';
import type { Directory } from '../meta/directory';
import type { Clock, LogStore, NextGeneration, StateStore, StateStores } from '../ports';
import type { Replica } from '../replica';
import { UncertainInstall } from '../uncertain-install';
import { DoubledStore } from './doubled-store';

export interface ScrubberOptions {
  readonly driver: Driver;
  readonly directory: Directory;
  readonly stores: StateStores;
  readonly log: LogStore;
  readonly clock: Clock;
  /** Groups whose next state is being built on this node; one at a time each. */
  readonly building: Set<GroupId>;
  /** Whether a replica is just being given up: what is left of it is looked at when it is gone. */
  readonly isGivingUp: () => boolean;
  /**
   * Lets go of named snapshots that hold the group as it was before an entry, where there is a newer one. Resolves
   * with whether none is left.
   */
  readonly forgetSnapshots: (group: GroupId, before: LogIndex) => Promise<boolean>;
  readonly onWarning: (what: string, error: Error) => void;
  /** The process must not go on. */
  readonly onFatal: (error: Error) => void;
}

/** Rows that are copied in one go, so that nothing waits for long. */
const PIECE_ROWS = 512;
const FIRST_KEY = new Uint8Array([0]);
const AFTER_LAST_KEY = new Uint8Array([0xff]);
/** How long readers of the state that is replaced may take to come to their end. */
const READERS_MS = 60_000;
const LOOK_AGAIN_MS = 50;

/**
 * Removes from this node's disk what groups have removed from their states: bytes of namespaces that are served
 * elsewhere now. Rows that are deleted stay in a store's files until these are merged, their keys in its manifest for
 * longer, and entries in the log until their segments go. So the state is copied, row by row, into a folder of its
 * own, which then counts instead of the old one; the log is cut off before what is erased and written anew; and named
 * snapshots from before go as soon as there is a newer one. The log is rid of replicas that were given up, too.
 *
 * What was done is remembered in memory alone, as {@link Replica.scrubbedTo}: a node that was restarted does it again,
 * if somebody still waits for it.
 */
export class Scrubber {
  private readonly rewritten = new WeakMap<Replica, LogIndex>();
  private run: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: ScrubberOptions) {}

  /** Takes up the next replica that is to be scrubbed, unless one is. */
  step(): void {
    if (this.run !== undefined || this.stopped) return;
    const work = this.nextWork();
    if (work === undefined) return;
    this.run = work()
      .then(() => undefined)
      .catch((error: unknown) => {
        if (!this.stopped) this.options.onWarning('erasing what has moved away', error as Error);
      })
      .finally(() => (this.run = undefined));
  }

  /** Resolves once nothing is under way any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.run;
  }

  private nextWork(): (() => Promise<unknown>) | undefined {
    const { directory, driver, building, log, isGivingUp } = this.options;
    for (const { scrubbing } of directory.unsettled()) {
      for (const { group, index } of scrubbing) {
        const replica = driver.get(group);
        if (replica === undefined || building.has(group)) continue;
        if (replica.scrubbedTo < index && replica.releasable >= index)
          return () => this.scrub(replica, index);
      }
    }
    const isWaitedFor = directory.unsettled().next().done !== true;
    const isDue = log.holdsForgotten || (log.holdsAside && isWaitedFor);
    return isDue && !isGivingUp() ? () => log.purge() : undefined;
  }

  private async scrub(replica: Replica, to: LogIndex): Promise<void> {
    const { log, forgetSnapshots } = this.options;
    const { group } = replica;
    if (!(await forgetSnapshots(group, to))) return;
    if ((this.rewritten.get(replica) ?? 0) < to) {
      const at = replica.applied;
      if (!(await this.rewrite(replica))) return;
      this.rewritten.set(replica, at);
    }
    if (!this.isHeld(replica)) return;
    const floor = log.state(group)?.floorIndex ?? 0;
    // The state that holds all this was made durable when it came to count.
    if (to > floor && log.term(group, to) !== undefined) log.compact(group, to);
    if (await log.purge()) replica.scrubbedTo = to;
  }

  /** Copies a state into a folder of its own and lets that one count; whether it came to that. */
  private async rewrite(replica: Replica): Promise<boolean> {
    const { stores, building } = this.options;
    const { group } = replica;
    building.add(group);
    try {
      const next = await stores.begin(group);
      if (!this.isHeld(replica)) {
        await next.abandon();
        return false;
      }
      const before = await this.exchange(replica, next);
      await this.untilUnread(before);
      await before.close();
      await next.cleanUp();
      return true;
    } finally {
      building.delete(group);
    }
  }

  private async exchange(replica: Replica, next: NextGeneration): Promise<StateStore> {
    const before = replica.store;
    const doubled = new DoubledStore(before, next.store);
    const rows = before.scan({ gte: FIRST_KEY, lt: AFTER_LAST_KEY })[Symbol.iterator]();
    replica.exchangeState(doubled);
    try {
      while (this.copyPiece(rows, doubled)) {
        await new Promise<void>((resolve) => this.options.clock.soon(resolve));
        if (!this.isHeld(replica)) throw new Error('the replica is going away');
      }
      replica.holdApplying();
      await next.install();
    } catch (error) {
      if (error instanceof UncertainInstall) {
        this.options.onFatal(error);
        throw error;
      }
      rows.return?.();
      replica.exchangeState(before);
      replica.resumeApplying();
      await next.abandon();
      throw error;
    }
    replica.exchangeState(next.store);
    replica.resumeApplying();
    return before;
  }

  private copyPiece(rows: Iterator<readonly [Uint8Array, Uint8Array]>, into: DoubledStore): boolean {
    const piece: (readonly [Uint8Array, Uint8Array])[] = [];
    let isMore = true;
    while (isMore && piece.length < PIECE_ROWS) {
      const row = rows.next();
      if (row.done === true) isMore = false;
      else piece.push(row.value);
    }
    into.copyRows(piece);
    return isMore;
  }

  private async untilUnread(store: StateStore): Promise<void> {
    const { clock } = this.options;
    const deadlineMs = clock.monotonicMs() + READERS_MS;
    while (store.openReads > 0 && !this.stopped && clock.monotonicMs() < deadlineMs) {
      await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
    }
  }

  private isHeld(replica: Replica): boolean {
    return !this.stopped && this.options.driver.get(replica.group) === replica;
  }
}
