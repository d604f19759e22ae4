import {
  NO_MEMBER,
  StateError,
  type ClientCommand,
  type CommandOutcome,
  type GroupId,
  type ReadRequest,
} from '#contracts';
import { encodeCommand } from '#codec';
import { evaluateRead } from '#state-machine';
import type { WatchHandle, WatchHub, WatchRequest, WatchSink } from '#watch';
import { refuseWhenFull } from './disk-space';
import type { Driver } from './driver';
import type {
  ClusterOperations,
  Consistency,
  Engine,
  NamespaceOperations,
  ReadAnswer,
  ReadinessCheck,
} from './engine';
import type { Forwarding } from './forwarding';
import { isLeaderless } from './leader-patience';
import type { WatchedHistory } from './history/watched-history';
import type { Clock, LogStore } from './ports';
import type { SnapshotOperations } from './named-snapshots/snapshot-operations';
import { isMoved, moved, overloaded } from './refusals';
import type { Replica } from './replica';
import type { Routing } from './routing';
import type { WatchBus } from './watch-bus';

export interface ReplicatedEngineOptions {
  readonly driver: Driver;
  readonly routing: Routing;
  readonly hub: WatchHub;
  readonly history: WatchedHistory;
  readonly bus: WatchBus | undefined;
  readonly log: LogStore;
  readonly clock: Clock;
  readonly cluster: ClusterOperations;
  readonly namespaces: NamespaceOperations;
  readonly snapshots: SnapshotOperations;
  /** Replicas whose states differed when they were compared. */
  readonly mismatches: () => readonly string[];
  /** How a request reaches a group's leader, or any replica of it, on another node. */
  readonly forwarding: Forwarding;
  /** Closes what the engine's maker opened: stores, log, links. */
  readonly release: () => Promise<void>;
  /** How long a stop waits for the clients that are already waiting, in milliseconds. */
  readonly stopGraceMs: number;
  /** How long a request waits while nobody leads its group, in milliseconds; then it is refused with `no_leader`. */
  readonly leaderPatienceMs: number;
}

/** The engine of a node: finds the replica that a request is for, here or on another node. */
export class ReplicatedEngine implements Engine {
  private draining = false;
  private waitingForRoutes = 0;

  constructor(private readonly options: ReplicatedEngineOptions) {}

  get cluster(): ClusterOperations {
    return this.options.cluster;
  }

  get namespaces(): NamespaceOperations {
    return this.options.namespaces;
  }

  get snapshots(): SnapshotOperations {
    return this.options.snapshots;
  }

  async write(command: ClientCommand, { timeoutMs }: { timeoutMs: number }): Promise<CommandOutcome> {
    this.refuseWhenDraining();
    const { routing, driver, log, clock } = this.options;
    routing.refuseOutside(command.ns);
    const replica = driver.get(routing.groupOf(command.ns));
    if (replica?.mayWrite(command.ns) !== true || !routing.knows(command.ns)) {
      return this.writeElsewhere(command, timeoutMs);
    }
    refuseWhenFull(log, command);
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    try {
      return await replica.propose(encodeCommand(command, clock.wallMs()), deadlineMs);
    } catch (error) {
      if (!isLeaderless(error)) throw error;
      return this.writeElsewhere(command, deadlineMs - clock.monotonicMs());
    }
  }

  private writeElsewhere(command: ClientCommand, timeoutMs: number): Promise<CommandOutcome> {
    const { driver, clock, forwarding, log } = this.options;
    return this.routed(command.ns, timeoutMs, (group, leftMs) => {
      const replica = driver.get(group);
      const bytes = encodeCommand(command, clock.wallMs());
      if (replica?.isLeader !== true) return forwarding.write(group, replica?.leader, bytes, leftMs);
      if (!replica.mayWrite(command.ns)) throw moved();
      refuseWhenFull(log, command);
      return replica.propose(bytes, clock.monotonicMs() + leftMs);
    });
  }

  /**
   * Runs a request where its namespace is served, and runs it again when the group says that it is not (or not just
   * now): while a namespace moves, or a leader is elected, requests wait. What was refused like this has not happened.
   */
  private async routed<Answer>(
    ns: string,
    timeoutMs: number,
    run: (group: GroupId, leftMs: number) => Promise<Answer>,
  ): Promise<Answer> {
    const { routing, clock, leaderPatienceMs } = this.options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    let isWaiting = false;
    let isLed = true;
    let patientUntilMs = deadlineMs;
    try {
      for (;;) {
        this.refuseWhenDraining();
        routing.refuseOutside(ns);
        const leftMs = deadlineMs - clock.monotonicMs();
        try {
          if (routing.knows(ns)) return await run(routing.groupOf(ns), leftMs);
        } catch (error) {
          isLed = !isLeaderless(error);
          if (!isLed) patientUntilMs = Math.min(patientUntilMs, clock.monotonicMs() + leaderPatienceMs);
          const isPassing = isLed ? isMoved(error) : clock.monotonicMs() + ROUTE_AGAIN_MS < patientUntilMs;
          if (!isPassing) throw error;
        }
        if (leftMs <= ROUTE_AGAIN_MS) throw notNow();
        if (!isWaiting && this.waitingForRoutes >= ROUTE_WAITERS) throw overloaded();
        if (!isWaiting) this.waitingForRoutes += 1;
        isWaiting = true;
        do await this.pause(ROUTE_AGAIN_MS);
        while (!isLed && this.hasNoLeader(ns) && clock.monotonicMs() < patientUntilMs);
      }
    } finally {
      if (isWaiting) this.waitingForRoutes -= 1;
    }
  }

  /** Whether this node holds the namespace's group and knows of no leader: asking again is of no use yet. */
  private hasNoLeader(ns: string): boolean {
    const { driver, routing } = this.options;
    return !this.draining && driver.get(routing.groupOf(ns))?.leader === NO_MEMBER;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve));
  }

  async read(
    request: ReadRequest,
    { consistency, timeoutMs }: { consistency: Consistency; timeoutMs: number },
  ): Promise<ReadAnswer> {
    this.refuseWhenDraining();
    const { routing, driver, clock, forwarding } = this.options;
    routing.refuseOutside(request.ns);
    const replica = driver.get(routing.groupOf(request.ns));
    if (replica?.tenants.mayRead(request.ns) === true && routing.knows(request.ns)) {
      try {
        return await readFrom(replica, request, { consistency, timeoutMs, clock });
      } catch (error) {
        if (!isMoved(error) && !isLeaderless(error)) throw error;
      }
    }
    return this.routed(request.ns, timeoutMs, (group, leftMs) => {
      const holder = driver.get(group);
      return holder === undefined
        ? forwarding.read(group, request, consistency, leftMs)
        : readFrom(holder, request, { consistency, timeoutMs: leftMs, clock });
    });
  }

  async watch(request: WatchRequest, sink: WatchSink): Promise<WatchHandle> {
    const { hub, history } = this.options;
    const { ns, from } = request;
    this.refuseWhenDraining();
    this.options.routing.refuseOutside(ns);
    await history.reach(ns, from);
    this.refuseWhenDraining();
    if (!history.knows(ns)) throw new StateError('not_ready', 'The namespace is moving.', { retry_after: 1 });
    try {
      return hub.subscribe(request, sink);
    } catch (error) {
      if (!hub.watches(ns)) history.abandoned(ns);
      throw error;
    }
  }

  readiness(): readonly ReadinessCheck[] {
    const space = this.options.log.space();
    const checks: ReadinessCheck[] = [
      { name: 'storage', ok: true, detail: 'open' },
      { name: 'wal', ok: true, detail: space === 'ok' ? 'open' : 'disk nearly full: writes are refused' },
    ];
    const mismatches = this.options.mismatches();
    if (mismatches.length > 0) checks.push({ name: 'snapshots', ok: true, detail: mismatches.join('; ') });
    const { bus } = this.options;
    // Watches go on without it, so a node is ready without it too.
    if (bus !== undefined) checks.push({ name: 'nats', ok: true, detail: bus.state });
    if (this.draining) checks.push({ name: 'node', ok: false, detail: 'draining' });
    for (const replica of this.options.driver.all()) {
      const { leader, commit, applied } = replica.status();
      const behind = commit - applied;
      const ok = leader !== 0 && replica.hasCaughtUp && behind < CAUGHT_UP_ENTRIES;
      const progress = behind === 0 ? 'caught up' : `${behind} entries behind`;
      const detail =
        leader === 0 ? 'no leader known' : replica.hasCaughtUp ? progress : 'catching up since the start';
      checks.push({ name: `group_${replica.group}`, ok, detail });
    }
    return checks;
  }

  async handOver(): Promise<void> {
    await this.whileWithinGrace(() => this.giveLeadershipAway());
  }

  async stop(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    this.options.hub.drain();
    await this.whileWithinGrace(() => this.giveLeadershipAway() || this.waitingClients() > 0);
    this.options.driver.stop();
    for (const replica of this.options.driver.all()) replica.rejectWaiting(drainingError);
    await this.options.release();
  }

  private async whileWithinGrace(isBusy: () => boolean): Promise<void> {
    const { clock, stopGraceMs } = this.options;
    const deadlineMs = clock.monotonicMs() + stopGraceMs;
    while (isBusy() && clock.monotonicMs() < deadlineMs) {
      await this.pause(DRAIN_POLL_MS);
    }
  }

  /**
   * Gives away what this node leads, and says whether there is something left to give. To be asked again: just now
   * nobody may have been heard of, or who was told to lead may not have been able to.
   */
  private giveLeadershipAway(): boolean {
    const led = [...this.options.driver.all()].filter(({ leadsOthers }) => leadsOthers);
    for (const replica of led) replica.handLeadershipOver();
    return led.length > 0;
  }

  private waitingClients(): number {
    let count = 0;
    for (const replica of this.options.driver.all()) count += replica.waitingClients;
    return count;
  }

  private refuseWhenDraining(): void {
    if (this.draining) throw drainingError();
  }
}

/** A replica this close to the commit index counts as caught up. */
const CAUGHT_UP_ENTRIES = 10_000;
const DRAIN_POLL_MS = 10;
/** How soon a request is routed again, and how many may wait for that at once. */
const ROUTE_AGAIN_MS = 20;
const ROUTE_WAITERS = 10_000;

/** Answers a read from a replica on this node, as fresh as was asked for. */
export async function readFrom(
  replica: Replica,
  request: ReadRequest,
  options: { readonly consistency: Consistency; readonly timeoutMs: number; readonly clock: Clock },
): Promise<ReadAnswer> {
  const { consistency, timeoutMs, clock } = options;
  const evaluate = (): ReadAnswer => {
    if (!replica.tenants.mayRead(request.ns)) throw moved();
    return {
      outcome: evaluateRead(replica.reader, request, clock.wallMs()),
      commitSeq: replica.commitSeq,
    };
  };
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  if (consistency.kind === 'linearizable') return replica.readLinearizable(evaluate, deadlineMs);
  if (consistency.minSeq !== undefined) await replica.whenReached(consistency.minSeq, deadlineMs);
  return evaluate();
}

function notNow(): StateError {
  return new StateError('not_ready', 'The namespace is being moved, or not ready yet; try again shortly.', {
    retry_after: 1,
  });
}

function drainingError(): StateError {
  return new StateError('draining', 'This node is shutting down; use another one, or retry shortly.', {
    retry_after: 1,
  });
}
