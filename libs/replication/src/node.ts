import { META_GROUP, NO_MEMBER, type ChangeBatch, type GroupId, type MemberId } from '#contracts';
import type { Message } from '#raft';
import { WatchHub, type WatchStats } from '#watch';
import { ClusterAdmin } from './cluster-admin';
import { encodeBody } from './cluster-bodies';
import { WatchedHistory } from './history/watched-history';
import { DiskRelief } from './disk-space';
import { Driver } from './driver';
import type { Engine } from './engine';
import type { Scrubber } from './erasure/scrubber';
import type { Housekeeping } from './housekeeping';
import { Admission } from './meta/admission';
import type { ClusterKeeper } from './meta/cluster-keeper';
import { Departures } from './meta/departures';
import { Directory } from './meta/directory';
import { refuseOutsideRegions } from './meta/region-change';
import { MetaWriter } from './meta/meta-writer';
import { Placements } from './placements';
import type { NodeSnapshots } from './named-snapshots/node-snapshots';
import { housekeepingOf, keeperOf, receiverOf, scrubberOf, snapshotsOf } from './node-parts';
import { electionTimeoutMs, leaderPatienceMs, type NodeOptions } from './node-options';
import type { ReplicaStatus } from './node-status';
import { NODE_TUNING, type NodeTuning } from './node-tuning';
import { Outbox } from './peers/outbox';
import { PeerBook, type PeerStanding } from './peers/peer-book';
import { PeerKind } from './peers/peer-kinds';
import { PeerService } from './peers/peer-service';
import type { Replica } from './replica';
import { ReplicaHost } from './replica-host';
import { ReplicatedEngine } from './replicated-engine';
import { StateCorruption } from './state-corruption';
import { DEFAULT_GROUP } from './default-group';
import type { SnapshotReceiver } from './snapshots/snapshot-receiver';
import { SnapshotSender } from './snapshots/snapshot-sender';

/** One node: its replicas over the one log, the loop that drives them, its watchers, and the way to its peers. */
export class Node {
  readonly engine: Engine;
  readonly admin: ClusterAdmin;
  readonly directory = new Directory();
  private readonly driver: Driver;
  private readonly hub: WatchHub;
  private readonly history: WatchedHistory;
  private readonly host: ReplicaHost;
  private readonly book: PeerBook;
  private readonly placements: Placements;
  private readonly departures: Departures;
  private readonly sender: SnapshotSender;
  private readonly receiver: SnapshotReceiver;
  private readonly admission: Admission;
  private readonly writer: MetaWriter;
  private readonly keeper: ClusterKeeper;
  private readonly relief: DiskRelief;
  private readonly snapshots: NodeSnapshots;
  private readonly housekeeping: Housekeeping;
  private readonly building = new Set<GroupId>();
  private readonly scrubber: Scrubber;
  private readonly tuning: NodeTuning;
  private isReleased = false;
  private isOpened = false;

  static async open(options: NodeOptions): Promise<Node> {
    const node = new Node(options);
    try {
      await node.begin();
    } catch (error) {
      await node.release();
      throw error;
    }
    return node;
  }

  private constructor(private readonly options: NodeOptions) {
    const { clock, log, network, identity, digest } = options;
    const { directory } = this;
    this.tuning = { ...NODE_TUNING, ...options.tuning };
    const outbox = new Outbox(network);
    const driver = (this.driver = new Driver({
      log,
      clock,
      tickMs: options.tickMs,
      readRetryMs: electionTimeoutMs(options),
      send: (replica, messages) => this.send(outbox, replica, messages),
      flushSent: () => outbox.flush(),
      onFatal: options.onFatal,
    }));
    const { member, founders, clusterId } = identity;
    this.history = this.newHistory();
    this.hub = this.newHub();
    this.host = this.newHost();
    this.sender = new SnapshotSender({
      clock,
      digest,
      replica: (group) => driver.get(group),
      mayCarry: (group, to) => this.placements.borders.mayCarry(group, to),
      chunkBytes: this.tuning.snapshotChunkBytes,
      idleMs: this.tuning.snapshotIdleMs,
    });
    this.receiver = receiverOf(options, this.tuning, { driver, building: this.building }, (replica) => {
      if (replica.group === META_GROUP) this.directoryChanged(replica);
      else this.hub.catchUp();
    });
    this.placements = new Placements({
      ...{ member: identity.member, region: options.address.region },
      ...{ directory, driver, network, clock, digest, host: this.host, plantedBug: options.plantedBug },
      onFatal: options.onFatal,
      onWarning: (what, error) => options.observer.warning(what, error),
    });
    this.book = new PeerBook({ ...options, directory });
    this.departures = new Departures({
      member,
      directory,
      gather: () => this.admin.gather(),
      giveUp: (replica) => this.giveUp(replica),
    });
    const peers = this.peerService();
    const holders = (group: GroupId): readonly MemberId[] => directory.holdersOf(group, founders);
    const writer = (this.writer = new MetaWriter(driver, clock, peers, leaderPatienceMs(options)));
    const shared = { clusterId, member, driver, directory, network, writer };
    this.admin = new ClusterAdmin({ ...shared, region: options.address.region, founders, clock, log });
    this.relief = new DiskRelief({ log, driver, member, gather: () => this.admin.gather() });
    this.admission = new Admission(shared);
    const parts = { driver, directory, writer, admin: this.admin, placements: this.placements };
    this.keeper = keeperOf(options, this.tuning, parts);
    this.placements.start(writer, peers, () => this.admin.gather());
    this.snapshots = snapshotsOf(options, { ...parts, forwarding: peers, holders });
    this.scrubber = scrubberOf(options, {
      ...parts,
      host: this.host,
      snapshots: this.snapshots,
      building: this.building,
    });
    this.housekeeping = housekeepingOf(options, this.tuning, {
      ...parts,
      snapshots: this.snapshots,
      onRound: () => this.tend(),
    });
    this.engine = this.newEngine(peers);
  }

  replicas(): readonly ReplicaStatus[] {
    return this.admin.status().replicas;
  }

  /** Answers a node that is no member, or does not know whether it is: {@link Admission}, {@link Standing}. */
  async answerStranger(kind: number, question: Uint8Array): Promise<Uint8Array> {
    return kind === PeerKind.standing ? this.book.standing.answer(question) : this.admission.admit(question);
  }

  /** Whether a peer that has proven the secret is who the cluster knows under its member id. */
  knows(peer: { readonly memberId: MemberId; readonly incarnation: string }): PeerStanding {
    return this.book.knows(peer);
  }

  /** Bytes that all replicas' states take on disk, roughly. */
  stateBytes(): number {
    let bytes = 0;
    for (const replica of this.driver.all()) bytes += replica.store.bytes();
    return bytes;
  }

  watchStats(): WatchStats {
    return this.hub.stats();
  }

  private async begin(): Promise<void> {
    const { identity, log } = this.options;
    const held = log.groups();
    if (identity.begun && identity.founder && held.length === 0) {
      throw new StateCorruption('the log', 'it is gone, and with it what this node had promised');
    }
    this.book.connect();
    if (identity.founder && !identity.begun) {
      const voters = identity.founders.map(({ member }) => member);
      for (const group of [META_GROUP, DEFAULT_GROUP]) await this.host.open(group, voters);
      await this.options.identities.save({ ...identity, begun: true });
    } else {
      await this.host.removeLeftovers();
      const meta = await this.host.open(META_GROUP);
      this.directory.refresh(meta.store);
      refuseOutsideRegions(this.options.address.region, held, this.directory);
      for (const group of held) await this.host.open(group);
    }
    this.isOpened = true;
    await this.snapshots.begin();
    for (const replica of this.driver.all()) {
      // Alone there is nobody to wait for, and a client should not have to either.
      await this.leadAlone(replica);
      if (replica.group === META_GROUP) this.directoryChanged(replica);
    }
  }

  private newHost(): ReplicaHost {
    const { options, driver } = this;
    const { identity, log, stores, digest, random, raft, replicaLimits: limits, stateBug } = options;
    return new ReplicaHost({
      member: identity.member,
      driver,
      log,
      stores,
      replica: { random, raft, limits, digest, stateBug },
      onChanges: (replica, changes) => {
        if (replica.group === META_GROUP) this.directoryChanged(replica, changes);
        this.history.applied(replica, changes);
      },
      onLeader: (group, leader, term) => options.observer.leaderChanged(group, leader, term),
      onTenants: (replica) =>
        this.hub.endNamespaces((ns) => this.placements.isAway(ns, replica), 'region_changed'),
      onSnapshot: (replica, command) => this.snapshots.take(replica, command),
      onGone: (group) => {
        this.history.gone(group);
        this.snapshots.forget(group).catch((error: unknown) => options.onFatal(error as Error));
      },
      onProposalFailed: (group, reason) => options.observer.proposalFailed?.(group, reason),
    });
  }

  private newEngine(peers: PeerService): Engine {
    const { log, clock } = this.options;
    const { driver, hub, history } = this;
    return new ReplicatedEngine({
      ...{ driver, hub, history, log, clock },
      routing: this.placements.routes,
      forwarding: peers,
      cluster: this.admin,
      namespaces: this.placements.admin(this.writer, () => this.admin.gather()),
      snapshots: this.snapshots.operations,
      mismatches: () => this.snapshots.mismatches,
      bus: this.options.bus,
      release: () => this.release(),
      stopGraceMs: this.tuning.stopGraceMs,
      leaderPatienceMs: leaderPatienceMs(this.options),
    });
  }

  private newHistory(): WatchedHistory {
    const { clock, random, network, digest, bus, identity, observer } = this.options;
    const { member, founders } = identity;
    const { driver, directory } = this;
    const around = { driver, directory, founders, network, bus, clock, random, digest };
    return new WatchedHistory({
      ...{ ...around, member },
      groupOf: (ns) => this.placements.routes.groupOf(ns),
      mayHave: (asker, group) => this.placements.borders.mayCarry(group, asker),
      onWarning: (what, error) => observer.warning(what, error),
    });
  }

  private newHub(): WatchHub {
    const { clock, watchLimits, watchObserver } = this.options;
    const hub = new WatchHub({
      source: this.history,
      onWatched: (ns, watched) => this.history.watched(ns, watched),
      clock,
      limits: watchLimits,
      observer: watchObserver,
      defer: (task) => clock.soon(task),
    });
    this.history.feed(hub);
    return hub;
  }

  /**
   * Takes the lead of a group that this node is the only voter of, and replays its log. What is replayed may show that
   * the group has other voters since: then there is somebody to wait for, and nobody should have to.
   */
  private async leadAlone(replica: Replica): Promise<void> {
    const { clock, identity } = this.options;
    const isAlone = (): boolean => {
      const { voters } = replica.configuration;
      return voters.length === 1 && voters[0] === identity.member;
    };
    if (isAlone()) replica.campaign();
    while (isAlone() && !replica.knowsAll) {
      await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
    }
    if (isAlone()) await this.confirm(replica);
  }

  private peerService(): PeerService {
    const { identity, network, clock, log } = this.options;
    const nothing = new Uint8Array(0);
    type Answer = (from: MemberId, body: Uint8Array) => Promise<Uint8Array>;
    const others = new Map<number, Answer>([
      [PeerKind.status, () => Promise.resolve(encodeBody(this.admin.status()))],
      [PeerKind.nodes, () => Promise.resolve(this.book.answer())],
      [PeerKind.join, (_, body) => this.admission.admit(body)],
      [PeerKind.snapshotChunk, (from, body) => this.sender.serve(from, body)],
      [PeerKind.namespaceRows, (from, body) => this.placements.rows.serve(from, body)],
      ...this.history.answers,
      [PeerKind.snapshotPart, (_, body) => Promise.resolve(this.snapshots.answerPart(body))],
      [PeerKind.transfer, (_, body) => Promise.resolve(this.admin.handOver(body)).then(() => nothing)],
    ]);
    return new PeerService({
      member: identity.member,
      network,
      driver: this.driver,
      log,
      clock,
      holders: (group) => this.directory.holdersOf(group, identity.founders),
      borders: this.placements.borders,
      onStranger: (group) => this.hostIfWanted(group),
      onSnapshotOffer: (replica, message) => this.receiver.offer(replica, message),
      others,
    });
  }

  private send(outbox: Outbox, replica: Replica, messages: readonly Message[]): void {
    for (const message of messages) {
      // Whatever a configuration says: nothing of a pinned group leaves its regions.
      if (!this.placements.borders.mayCarry(replica.group, message.to)) continue;
      if (message.snapshot !== undefined) this.sender.offered(replica.group, message.to);
      outbox.add(replica.group, message);
    }
  }

  /** A leader speaks to a replica that is not here, once all that is here was opened: it is begun if it is wanted. */
  private hostIfWanted(group: GroupId): void {
    const wanted = this.isOpened ? this.directory.groups.get(group) : undefined;
    const { member } = this.options.identity;
    if (wanted === undefined || ![...wanted.voters, ...wanted.learners].includes(member)) return;
    if (!this.placements.borders.mayCarry(group, member)) return;
    if (wanted.forming) return this.placements.begin();
    this.host.open(group).catch((error: unknown) => this.options.onFatal(error as Error));
  }

  private directoryChanged(meta: Replica, changes?: readonly ChangeBatch[]): void {
    if (changes === undefined) this.directory.refresh(meta.store);
    else
      for (const ns of this.directory.follow(meta.store, changes))
        this.hub.endNamespace(ns, 'region_changed');
    this.refuseOutsideRegions();
    this.book.connect();
    this.hub.endNamespaces((ns) => !this.placements.routes.mayServe(ns), 'region_changed');
    this.placements.step();
    this.keeper.step();
    const self = this.directory.nodes.get(this.options.identity.member);
    if (self?.state === 'removed') this.options.onRemoved();
  }

  /** A node that was started again in another region hands out nothing of what it holds from the old one. */
  private refuseOutsideRegions(): void {
    const held = [...this.driver.all()].map(({ group }) => group);
    refuseOutsideRegions(this.options.address.region, held, this.directory);
  }

  /** What is looked after between changes: membership, this node's own entry, a full disk, replicas that moved away. */
  private tend(): void {
    this.placements.step();
    this.keeper.step();
    this.history.look();
    this.scrubber.step();
    this.snapshots.tend();
    void this.book.announce(this.writer).catch(() => undefined);
    void this.relief.step().catch(() => undefined);
    for (const replica of this.driver.all()) {
      if (replica.group === META_GROUP && replica.leader === NO_MEMBER) void this.book.askAround();
      void this.confirm(replica);
      this.departures.look(replica);
    }
  }

  /** A replica that was just opened does not know how far behind it is until it has asked its leader. */
  private async confirm(replica: Replica): Promise<void> {
    if (replica.hasCaughtUp || replica.leader === NO_MEMBER) return;
    const deadlineMs = this.options.clock.monotonicMs() + FIRST_READ_TIMEOUT_MS;
    await replica.readLinearizable(() => undefined, deadlineMs).catch(() => undefined);
  }

  private giveUp(replica: Replica): void {
    if (this.isReleased || this.driver.get(replica.group) !== replica) return;
    // A state that is just being put in place would outlive the replica.
    if (this.building.has(replica.group)) return;
    this.host.destroy(replica).catch((error: unknown) => this.options.onFatal(error as Error));
  }

  private async release(): Promise<void> {
    this.isReleased = true;
    this.driver.stop();
    this.history.stop();
    this.housekeeping.stop();
    this.sender.stop();
    this.receiver.stop();
    await this.snapshots.stop();
    await this.scrubber.stop();
    await this.options.bus?.close();
    await this.options.network.close();
    await this.host.settled();
    const stores = [...this.driver.all()].map((replica) => replica.store);
    for (const store of stores) await store.flush();
    await this.options.log.close();
    for (const store of stores) await store.close();
    await this.options.onReleased();
  }
}

/** Replaying the log after a crash comes before the first read of a lone node. */
const FIRST_READ_TIMEOUT_MS = 300_000;
const LOOK_AGAIN_MS = 1;
