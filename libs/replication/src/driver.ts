import type { GroupId, HardState } from '#contracts';
import type { Message } from '#raft';
import type { Clock, LogStore, LogWrite } from './ports';
import type { Replica } from './replica';

export interface DriverOptions {
  readonly log: LogStore;
  readonly clock: Clock;
  readonly tickMs: number;
  /** A ReadIndex round without an answer for this long starts over. */
  readonly readRetryMs: number;
  /** Takes a group's messages for its peers; the order per peer is kept. */
  readonly send: (replica: Replica, messages: readonly Message[]) => void;
  /** Lets what was taken leave, one frame a peer; called at the end of each piece of work. */
  readonly flushSent: () => void;
  /** A broken invariant or a failed apply: the process must not go on. */
  readonly onFatal: (error: Error) => void;
}

interface HandedOut {
  readonly replica: Replica;
  readonly mark: number;
  readonly hardState: HardState | undefined;
  readonly messages: readonly Message[];
}

/**
 * The loop of a node. A turn visits every replica that has work and gathers what they want made durable into one
 * append, so that all groups share one write and one sync; messages leave at once, those that speak for durable
 * state when it is durable. Appends overlap: the next one is gathered while the log syncs.
 *
 * A turn runs after the input that has already arrived was handled ({@link Clock.soon}), and so do ticks: after a
 * stall of the process the queued messages are stepped before an election timeout is counted.
 */
export class Driver {
  private readonly replicas = new Map<GroupId, Replica>();
  private dirty = new Set<Replica>();
  private scheduled = false;
  private running = true;
  private cancelTick: () => void = () => undefined;

  constructor(private readonly options: DriverOptions) {
    this.scheduleTick();
  }

  add(replica: Replica): void {
    this.replicas.set(replica.group, replica);
    this.wake(replica);
  }

  remove(group: GroupId): void {
    const replica = this.replicas.get(group);
    if (replica === undefined) return;
    this.replicas.delete(group);
    this.dirty.delete(replica);
  }

  get(group: GroupId): Replica | undefined {
    return this.replicas.get(group);
  }

  all(): IterableIterator<Replica> {
    return this.replicas.values();
  }

  /** Says that a replica has work; the turn comes soon, together with everyone else's. One that left gets none. */
  wake(replica: Replica): void {
    if (!this.holds(replica)) return;
    this.dirty.add(replica);
    if (this.scheduled || !this.running) return;
    this.scheduled = true;
    this.options.clock.soon(() => this.turn());
  }

  /** A message for a replica. What it cannot bear ends the process, as anything that goes wrong in a turn. */
  step(replica: Replica, message: Message): void {
    if (this.running) this.guard(() => replica.step(message));
  }

  stop(): void {
    this.running = false;
    this.cancelTick();
  }

  private turn(): void {
    this.scheduled = false;
    if (!this.running || this.dirty.size === 0) return;
    const visited = this.dirty;
    this.dirty = new Set();
    this.guard(() => {
      this.gather(visited);
      for (const replica of visited) replica.applyQueued();
    });
  }

  private gather(visited: ReadonlySet<Replica>): void {
    const writes: LogWrite[] = [];
    const handedOut: HandedOut[] = [];
    const nowMs = this.options.clock.monotonicMs();
    for (const replica of visited) {
      const ready = replica.takeReady(nowMs);
      if (ready === undefined) continue;
      if (ready.messages.length > 0) this.options.send(replica, ready.messages);
      if (ready.appendMark !== 0) {
        writes.push({
          group: replica.group,
          reset: ready.snapshot,
          hardState: ready.hardState,
          entries: ready.entries,
        });
      }
      if (ready.appendMark !== 0 || ready.messagesAfterDurable.length > 0) {
        const { appendMark: mark, hardState, messagesAfterDurable: messages } = ready;
        handedOut.push({ replica, mark, hardState, messages });
      }
    }
    this.options.flushSent();
    // Also without writes: the log answers in order, so these messages wait for what they speak of.
    if (handedOut.length > 0) this.options.log.append(writes, () => this.durable(handedOut));
  }

  private durable(handedOut: readonly HandedOut[]): void {
    if (!this.running) return;
    this.guard(() => {
      for (const { replica, mark, hardState, messages } of handedOut) {
        // Given up meanwhile: the log has forgotten what these messages would speak of.
        if (!this.holds(replica)) continue;
        if (mark !== 0) replica.appendDone(mark, hardState);
        if (messages.length > 0) this.options.send(replica, messages);
      }
      this.options.flushSent();
    });
    // What became durable may be committed now: answer without waiting for another round of the event loop.
    this.turn();
  }

  private holds(replica: Replica): boolean {
    return this.replicas.get(replica.group) === replica;
  }

  private scheduleTick(): void {
    this.cancelTick = this.options.clock.after(this.options.tickMs, () => {
      this.options.clock.soon(() => this.tick());
      if (this.running) this.scheduleTick();
    });
  }

  private tick(): void {
    if (!this.running) return;
    const nowMs = this.options.clock.monotonicMs();
    this.guard(() => {
      for (const replica of this.replicas.values()) replica.tick(nowMs, this.options.readRetryMs);
    });
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.stop();
      this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
