import { memberId, type MemberId, type NodeName } from '#contracts';
import { readApplied } from '#state-machine';
import { PeerKind, type FoundingMember, type NodeIdentity } from '#replication';
import { LogCorruption } from '#wal';
import { BorderRule } from './border-rule';
import { Clients } from './clients';
import { DecidedHistory } from './decided-history';
import { SimulationFailure, isDiskFailure } from './failure';
import { compareStates } from './final-judgement';
import { FreezeRule } from './freeze-rule';
import { FAULTS, Faults, GOOD_LINKS, type Fault } from './faults';
import { Moves } from './moves';
import { placementBug, type SimulatedBug } from './planted-bug';
import { SeededStream } from './random';
import { describeHosts } from './host-description';
import { IndexOperator } from './index-operator';
import { Membership } from './membership';
import { haveAppliedAll } from './applied-all';
import { SafetyRules } from './safety-rules';
import type { IndexSights } from './index-rule';
import { Scheduler, drained, type Occurrence } from './scheduler';
import { ProcessKilled, SimHost } from './sim-host';
import { SimBus } from './sim-bus';
import { SimNetwork } from './sim-network';
import { Trace } from './trace';
import { WatchingClient } from './watching-client';
import { BATCHES, OBJECTS, PROBE_ID, type World } from './world';

export interface SimulationOptions {
  readonly seed: number;
  /** Scheduled events under trouble; those until everything has settled again come on top. */
  readonly steps: number;
  readonly bug?: SimulatedBug;
  /** Whether nodes are in several regions, and namespaces move between them; every fourth seed by default. */
  readonly regional?: boolean;
}

export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly simulatedMs: number;
  /** Of everything that happened, in order: equal for equal runs. */
  readonly fingerprint: string;
  readonly nodes: number;
  readonly faults: readonly Fault[];
  readonly crashes: number;
  readonly writes: number;
  readonly reads: number;
  readonly unknown: number;
  /** Of agents: commands sent again, leases taken and run out, writes done under one, and refused for a stale fence. */
  readonly agents: {
    readonly retries: number;
    readonly leases: number;
    readonly ranOut: number;
    readonly guarded: number;
    readonly fenced: number;
  };
  readonly indexes: IndexSights;
  readonly streams: number;
  /** `unknown` when the checker gave up on the history. */
  readonly history: 'linearizable' | 'unknown';
  readonly quarantined: number;
  /** Of namespaces from one group to another. */
  readonly moves: number;
}

const ONE_REGION = ['local'];
const REGIONS = ['eu', 'us', 'ap'];
/** So short that a run meets both: a node that is away loses its places, and leaders are spread. */
const REPAIRS = { nodeLostMs: 1_500, balanceMs: 400 };
/** A move that was asked for last, its erasing on every node and the repairs after it may take half of this. */
const SETTLE_LIMIT_MS = 40_000;
const PROBE_EVERY_MS = 100;
const START_OF_TIME_MS = 1_700_000_000_000;

/** One run: a cluster of real nodes over simulated machines, clients, trouble, and judges, all from one seed. */
export class Simulation implements World {
  readonly trace = new Trace();
  readonly scheduler = new Scheduler(this.trace);
  readonly quality = { ...GOOD_LINKS };
  readonly random: SeededStream;
  readonly decided = new DecidedHistory([OBJECTS, BATCHES]);
  readonly hosts = new Map<MemberId, SimHost>();
  readonly network: SimNetwork;
  private readonly bus: SimBus | undefined;
  readonly bug: SimulatedBug | undefined;
  readonly forgets: boolean;
  private readonly rules = new SafetyRules(this.hosts);
  private readonly clients: Clients;
  private readonly watchers: WatchingClient[];
  private readonly enabled: readonly Fault[];
  private readonly faults: Faults;
  private readonly membership: Membership;
  private readonly border = new BorderRule(this.hosts);
  private readonly freeze = new FreezeRule();
  private readonly regions: readonly string[];
  private readonly moves: Moves | undefined;
  private readonly indexing: IndexOperator;
  private checks: (() => void)[] = [];
  private failure: Error | undefined;
  private steps = 0;
  private crashes = 0;

  constructor(private readonly options: SimulationOptions) {
    const { seed, bug } = options;
    this.bug = bug;
    this.forgets = seed % 3 === 0 || bug === 'tendFrozen';
    this.random = new SeededStream(seed).fork('simulation');
    this.network = new SimNetwork({
      scheduler: this.scheduler,
      random: this.random.fork('network'),
      quality: this.quality,
      inspect: (from, to, kind, body) => this.guard(() => this.inspectBytes(from, to, kind, body)),
      onBroken: (error) => this.broken(error),
    });
    // Two clusters of five have a bus beside the links: watches hold their promises with it and without.
    this.bus =
      seed % 5 === 0 || seed % 5 === 4 ? new SimBus(this.scheduler, this.random.fork('bus')) : undefined;
    const shape = this.random.fork('shape');
    const isRegional = options.regional ?? (seed % 4 === 0 || placementBug(bug) !== undefined);
    this.regions = isRegional ? REGIONS : ONE_REGION;
    this.makeHosts(shape.chance(0.25) || isRegional ? 5 : 3);
    this.clients = new Clients(this, this.random);
    this.watchers = [
      this.makeWatcher('watcher 1', OBJECTS, {}),
      this.makeWatcher('watcher 2', OBJECTS, { prefix: 'a', tags: { by: 'client 1' } }),
      this.makeWatcher('watcher 3', BATCHES, shape.chance(0.5) ? {} : { type: 'other' }),
    ];
    this.enabled = FAULTS.filter(() => shape.chance(0.5));
    const faults = this.enabled.length > 0 ? this.enabled : FAULTS;
    this.membership = new Membership({
      world: this,
      random: this.random.fork('membership'),
      rules: this.rules,
      groups: () => this.border.groups(),
      regions: this.regions,
      addHost: (identity, region) => this.addHost(identity, region),
    });
    const about = { world: this, border: this.border, regions: this.regions };
    this.moves = isRegional ? new Moves({ ...about, random: this.random.fork('moves') }) : undefined;
    this.indexing = new IndexOperator(this, this.random.fork('indexes'));
    this.faults = new Faults(
      this,
      this.membership,
      this.random.fork('faults'),
      faults,
      shape.pick([150, 400, 1_200]),
    );
  }

  async run(): Promise<SimulationReport> {
    for (const host of this.hosts.values()) host.boot();
    this.clients.start();
    for (const watcher of this.watchers) watcher.start();
    this.moves?.start();
    this.indexing.start();
    this.faults.start();
    while (this.steps < this.options.steps) await this.step();
    await this.settle();
    for (const group of this.border.groups()) compareStates(group, this.living());
    this.indexing.check(this.living());
    this.moves?.judge(this.living());
    const history = this.clients.judge();
    const { seed } = this.options;
    const { writes, reads, staleReads, unknown, retries, leases, ranOut, guarded, fenced } =
      this.clients.tally;
    return {
      seed,
      steps: this.steps,
      simulatedMs: Math.round(this.scheduler.nowMs),
      fingerprint: this.trace.fingerprint(),
      nodes: this.hosts.size,
      faults: this.enabled,
      crashes: this.crashes,
      writes,
      reads: reads + staleReads,
      unknown,
      agents: { retries, leases, ranOut, guarded, fenced },
      indexes: this.indexing.sights,
      streams: this.watchers.reduce((sum, { streams }) => sum + streams, 0),
      history,
      moves: this.moves?.completed ?? 0,
      quarantined: [...this.hosts.values()].filter(({ quarantined }) => quarantined !== undefined).length,
    };
  }

  note(what: string): void {
    this.trace.note(this.scheduler.nowMs, '-', what);
  }

  broken(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }

  afterStep(check: () => void): void {
    this.checks.push(check);
  }

  crash(host: SimHost, { power, downMs }: { readonly power: boolean; readonly downMs: number }): void {
    if (host.isDown) return;
    this.crashes++;
    host.crash(power);
    this.scheduler.after(downMs, `node ${host.member} boots`, () => host.boot());
  }

  private async step(): Promise<void> {
    let occurrence: Occurrence | undefined;
    this.guard(() => (occurrence = this.scheduler.runNext()));
    this.steps++;
    await drained();
    this.guard(() => {
      for (const host of this.hosts.values()) host.driveDisk();
      const host = this.hosts.get((occurrence?.life?.owner ?? 0) as MemberId);
      if (host !== undefined) this.inspect(host);
      if (this.checks.length > 0) for (const check of this.checks.splice(0)) check();
    });
    if (this.failure !== undefined) throw this.failure;
  }

  private guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.broken(error);
    }
  }

  private inspectBytes(from: MemberId, to: MemberId, kind: number | undefined, body: Uint8Array): void {
    if (kind === PeerKind.raft) this.rules.onFrame(from, body);
    this.border.onBytes(from, to, body, kind);
  }

  private inspect(host: SimHost): void {
    if (!host.isUp) return;
    this.border.afterEvent(host);
    const isMoved = this.rules.afterEvent(host);
    if (!isMoved) return;
    this.freeze.afterEvent(host);
    for (const store of host.openStores.values()) {
      const { commitSeq } = readApplied(store);
      this.decided.compare(`node ${host.member}`, store, commitSeq);
    }
  }

  /** The trouble ends. Every node that may live does, takes a write, and comes to the same state as all others. */
  private async settle(): Promise<void> {
    this.note('the trouble ends');
    this.faults.end();
    this.clients.stop();
    this.moves?.end();
    this.indexing.end();
    for (const host of this.hosts.values()) host.boot();
    const deadlineMs = this.scheduler.nowMs + SETTLE_LIMIT_MS;
    const probed = new Set<MemberId>();
    const written = new Set<MemberId>();
    const probeOnce = (host: SimHost): void => {
      if (!probed.has(host.member)) this.probe(host, written);
      probed.add(host.member);
    };
    const isSettled = (): boolean => {
      const living = this.living();
      living.forEach(probeOnce);
      const allWritten = living.every((host) => written.has(host.member));
      return allWritten && this.membership.isSettled() && this.isEqual();
    };
    await this.until(isSettled, deadlineMs);
    for (const watcher of this.watchers) watcher.finish(await this.reached(watcher, deadlineMs));
    await this.step();
    // What clients had asked for last may have come through meanwhile, or a newcomer been let in: judged is a moment
    // at which all are equal.
    await this.until(() => this.isEqual(), deadlineMs);
  }

  private async until(isReached: () => boolean, deadlineMs: number): Promise<void> {
    while (!isReached()) {
      if (this.scheduler.nowMs > deadlineMs) {
        throw new SimulationFailure(
          `no progress after the trouble ended:\n${describeHosts(this.hosts.values())}`,
        );
      }
      await this.step();
    }
  }

  private probe(host: SimHost, written: Set<MemberId>): void {
    if (host.quarantined !== undefined) return;
    const again = (): void => {
      this.scheduler.after(PROBE_EVERY_MS, `probe of node ${host.member}`, () => this.probe(host, written));
    };
    if (!host.isUp) return again();
    const operation = {
      op: 'put',
      id: PROBE_ID,
      type: 'thing',
      bodyJson: String(host.member),
      tags: {},
      parents: [],
    } as const;
    const ns = host.member % 2 === 0 ? OBJECTS : BATCHES;
    host.node!.engine.write({ kind: 'write', ns, operations: [operation] }, { timeoutMs: 1_000 }).then(
      () => written.add(host.member),
      () => again(),
    );
  }

  /** Waits for a watcher to come to the end of its namespace's history. */
  private async reached(watcher: WatchingClient, deadlineMs: number): Promise<number> {
    const last = this.decided.batches(watcher.ns).at(-1)?.commitSeq ?? 0;
    while (!watcher.hasReached(last)) {
      if (this.scheduler.nowMs > deadlineMs)
        throw new SimulationFailure(`${watcher.name} never came to ${last}`);
      await this.step();
    }
    return last;
  }

  private living(): SimHost[] {
    return this.membership.expected();
  }

  /** Whether nothing is under way, neither a move nor an entry nor the build of an index. */
  private isEqual(): boolean {
    const isMoved = this.moves?.isSettled(this.living()) ?? true;
    const areEqual = isMoved && haveAppliedAll(this.border.groups(), this.rules, this.hosts);
    return areEqual && this.indexing.isSettled(this.living());
  }

  private makeHosts(count: number): void {
    const founders = Array.from({ length: count }, (_, at): FoundingMember => {
      const name = `node-${at + 1}` as NodeName;
      const region = this.regions[at % this.regions.length] as string;
      return { member: memberId(at + 1), name, region, host: name, port: 1, incarnation: name };
    });
    for (const { member, name, incarnation, region } of founders) {
      const first = { founders, founder: true, begun: false };
      this.addHost({ clusterId: 'simulated', member, name, incarnation, ...first }, region);
    }
  }

  private addHost(identity: NodeIdentity, region: string): SimHost {
    const { member } = identity;
    const random = this.random.fork(`host ${member}`);
    const host = new SimHost({
      identity,
      region,
      tuning: this.regions.length > 1 ? REPAIRS : {},
      border: this.border,
      ...{ scheduler: this.scheduler, network: this.network, bus: this.bus, rules: this.rules, random },
      forgets: this.forgets,
      clockError: {
        wallOffsetMs: START_OF_TIME_MS + random.between(-2_000, 2_000),
        secondLength: random.between(0.97, 1.03),
      },
      bug: this.bug,
      note: (what) => this.note(what),
      peer: (other) => this.hosts.get(other),
      introductions: (life) => this.membership.introductions(life),
      inspect: (one) => this.inspect(one),
      onElected: (one, group) => this.clients.elected(one, group),
      onResumed: (one) => this.clients.resumed(one),
      onEnd: (one, error) => this.ended(one, error),
      onRemoved: (one) => this.removed(one),
      onBroken: (error) => this.broken(error),
    });
    this.hosts.set(member, host);
    return host;
  }

  /** The cluster has removed a node: its process ends, and its machine has nothing more to do. */
  private removed(host: SimHost): void {
    if (host.quarantined !== undefined) return;
    this.note(`node ${host.member} was removed`);
    host.quarantined = 'removed';
    this.crash(host, { power: false, downMs: 0 });
  }

  /** A process ended by itself. After a failure of the disk that is its duty; otherwise it is a mistake. */
  private ended(host: SimHost, error: Error | undefined): void {
    const random = this.random;
    if (error === undefined) {
      host.ended();
      this.scheduler.after(random.between(1, 500), `node ${host.member} boots`, () => host.boot());
      return;
    }
    this.note(`node ${host.member} ends: ${error.message}`);
    if (error instanceof LogCorruption) {
      host.quarantined = error.message;
      this.membership.replace(host);
    } else if (!(error instanceof ProcessKilled) && !isDiskFailure(error)) this.broken(error);
    this.crash(host, { power: random.chance(0.5), downMs: random.between(1, 500) });
  }

  private makeWatcher(
    name: string,
    ns: string,
    filter: ConstructorParameters<typeof WatchingClient>[4],
  ): WatchingClient {
    return new WatchingClient(name, this, this.random.fork(name), ns, filter);
  }
}
