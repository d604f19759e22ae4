import {
  META_GROUP,
  StateError,
  groupId,
  type CommitSeq,
  type GroupId,
  type LogIndex,
  type MemberId,
  type Term,
} from '#contracts';
import type { ConfState, RaftConfig, Role } from '#raft';
import type { Digest } from '#state-machine';
import { WatchHub, type WatchLimits, type WatchObserver, type WatchStats } from '#watch';
import { alignLog, bootstrapReplica } from './bootstrap';
import { ReplicaChangeSource } from './change-source';
import { Driver } from './driver';
import type { Engine } from './engine';
import { Housekeeping } from './housekeeping';
import type { IdentityStore, NodeIdentity } from './identity';
import { Directory } from './meta/directory';
import { Outbox } from './peers/outbox';
import { PeerService } from './peers/peer-service';
import type { Clock, LogStore, Network, Random, StateStores } from './ports';
import { Replica, type ReplicaLimits } from './replica';
import { ReplicatedEngine } from './replicated-engine';

/** The group of every namespace that nobody placed elsewhere. */
export const DEFAULT_GROUP = groupId(1);

export interface NodeOptions {
  readonly identity: NodeIdentity;
  readonly identities: IdentityStore;
  readonly log: LogStore;
  readonly stores: StateStores;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly tickMs: number;
  readonly raft: Omit<RaftConfig, 'id' | 'random'>;
  readonly replicaLimits: ReplicaLimits;
  readonly watchLimits: WatchLimits;
  readonly watchObserver: WatchObserver;
  readonly historyRetentionMs: number;
  readonly historyRetentionCommits: number;
  readonly observer: NodeObserver;
  /** The process must end: an invariant is broken, or the disk failed. */
  readonly onFatal: (error: Error) => void;
  /** Everything is flushed and closed: what was locked may be let go of. */
  readonly onReleased: () => Promise<void>;
}

/** Where a node reports what happens; plain calls on the engine's turn, which must be cheap and must not throw. */
export interface NodeObserver {
  leaderChanged(group: GroupId, leader: MemberId, term: Term): void;
  /** Something went wrong that the node goes on with. */
  warning(what: string, error: Error): void;
}

/** A replica in numbers. */
export interface ReplicaStatus {
  readonly group: GroupId;
  readonly role: Role;
  readonly leader: MemberId;
  readonly term: Term;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly commitSeq: CommitSeq;
  readonly configuration: ConfState;
  readonly matches: readonly { readonly member: MemberId; readonly match: LogIndex }[];
}

/** One node: its replicas over the one log, the loop that drives them, its watchers, and the way to its peers. */
export class Node {
  readonly engine: Engine;
  readonly directory = new Directory();
  private readonly driver: Driver;
  private readonly hub: WatchHub;
  private readonly housekeeping: Housekeeping;

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
    const { clock, log, network, identity } = options;
    const outbox = new Outbox(network);
    this.driver = new Driver({
      log,
      clock,
      tickMs: options.tickMs,
      readRetryMs: options.tickMs * options.raft.electionTimeoutTicks,
      send: (replica, messages) => messages.forEach((message) => outbox.add(replica.group, message)),
      flushSent: () => outbox.flush(),
      onFatal: options.onFatal,
    });
    this.hub = new WatchHub({
      source: new ReplicaChangeSource((ns) => this.replicaOf(ns), clock),
      clock,
      limits: options.watchLimits,
      observer: options.watchObserver,
      defer: (task) => clock.soon(task),
    });
    const peers = new PeerService({
      member: identity.member,
      network,
      driver: this.driver,
      clock,
      holders: (group) => this.directory.groups.get(group)?.voters ?? [],
      onStranger: () => undefined,
      onSnapshotOffer: () => undefined,
      others: new Map(),
      onPeer: () => undefined,
    });
    this.housekeeping = new Housekeeping({
      driver: this.driver,
      log,
      clock,
      intervalMs: HOUSEKEEPING_MS,
      historyRetentionMs: options.historyRetentionMs,
      historyRetentionCommits: options.historyRetentionCommits,
      trimEveryEntries: TRIM_EVERY_ENTRIES,
      keepEntries: KEEP_ENTRIES,
      onError: (error) => options.observer.warning('housekeeping', error),
    });
    this.engine = new ReplicatedEngine({
      member: identity.member,
      driver: this.driver,
      routing: { groupOf },
      hub: this.hub,
      log,
      clock,
      forwarding: peers,
      release: () => this.release(),
      stopGraceMs: STOP_GRACE_MS,
    });
  }

  replicas(): readonly ReplicaStatus[] {
    return [...this.driver.all()].map((replica) => {
      const status = replica.status();
      return {
        group: replica.group,
        role: status.role,
        leader: status.leader,
        term: status.term,
        commit: status.commit,
        applied: status.applied,
        commitSeq: replica.commitSeq,
        configuration: replica.configuration,
        matches: status.progress.map(({ member, match }) => ({ member, match })),
      };
    });
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
    if (identity.begun && held.length === 0 && identity.founder) {
      throw new Error(
        'the log is gone: this node must not go on under its identity; let it join as a new one',
      );
    }
    if (identity.founder && !identity.begun) {
      for (const group of [META_GROUP, DEFAULT_GROUP]) await this.host(group, true);
      await this.options.identities.save({ ...identity, begun: true });
    } else {
      for (const group of held) await this.host(group, false);
    }
    for (const replica of this.driver.all()) {
      const { voters } = replica.configuration;
      // Alone there is nobody to wait for.
      if (voters.length === 1 && voters[0] === identity.member) replica.campaign();
    }
  }

  private async host(group: GroupId, founding: boolean): Promise<Replica> {
    const { log, stores, random, digest, identity } = this.options;
    const store = await stores.open(group);
    if (founding) {
      const voters = identity.founders.map(({ member }) => member);
      await bootstrapReplica(group, voters, { log, store, digest });
    } else {
      await alignLog(group, { log, store });
    }
    const replica = new Replica({
      group,
      member: identity.member,
      log,
      store,
      random,
      raft: this.options.raft,
      limits: this.options.replicaLimits,
      digest,
      onChanges: (from, changes) => {
        if (from === META_GROUP) this.directory.refresh(store);
        for (const batch of changes) this.hub.publish(batch);
      },
      onWork: (busy) => this.driver.wake(busy),
      onLeader: (of, leader, term) => this.options.observer.leaderChanged(of, leader, term),
    });
    if (group === META_GROUP) this.directory.refresh(store);
    this.driver.add(replica);
    return replica;
  }

  private replicaOf(ns: string): Replica {
    const replica = this.driver.get(groupOf(ns));
    if (replica === undefined) {
      throw new StateError('not_ready', 'This node does not hold the namespace yet.', { retry_after: 1 });
    }
    return replica;
  }

  private async release(): Promise<void> {
    this.driver.stop();
    this.housekeeping.stop();
    await this.options.network.close();
    const stores = [...this.driver.all()].map((replica) => replica.store);
    for (const store of stores) await store.flush();
    await this.options.log.close();
    for (const store of stores) await store.close();
    await this.options.onReleased();
  }
}

function groupOf(ns: string): GroupId {
  return ns.startsWith('admin://') ? META_GROUP : DEFAULT_GROUP;
}

const HOUSEKEEPING_MS = 500;
/** The log keeps this much for followers that are a little behind, and is trimmed in steps of about this size. */
const KEEP_ENTRIES = 20_000;
const TRIM_EVERY_ENTRIES = 50_000;
const STOP_GRACE_MS = 4_000;
