import { StateError, type ChangeBatch, type CommitSeq, type GroupId, type MemberId } from '#contracts';
import type { Arrival, ChangePage, ChangeSource, ObjectScan, WatchFilter, WatchHub } from '#watch';
import type { FoundingMember } from '../identity';
import type { Directory } from '../meta/directory';
import type { Driver } from '../driver';
import type { Clock, Network, Random } from '../ports';
import { PeerKind } from '../peers/peer-kinds';
import type { Replica } from '../replica';
import type { WatchBus } from '../watch-bus';
import { BusFeed } from './bus-feed';
import type { BusMessage } from './bus-messages';
import { ChangesService } from './changes-service';
import { HISTORY_LIMITS } from './history-limits';
import { Holders } from './holders';
import { LocalHistory } from './local-history';
import { RemoteHistory } from './remote-history';
import { ScanService } from './scan-service';
import { Tails } from './tails';

export interface WatchedHistoryOptions {
  readonly member: MemberId;
  readonly founders: readonly FoundingMember[];
  readonly directory: Directory;
  readonly driver: Driver;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: (bytes: Uint8Array) => string;
  /** The fast way between nodes; without one, changes come from the replica here or over the peers' links. */
  readonly bus?: WatchBus;
  readonly groupOf: (ns: string) => GroupId;
  readonly onWarning: (what: string, error: Error) => void;
}

/**
 * The replica to answer a peer from. Throws `not_ready` when the namespace cannot be served from here, and
 * `region_not_allowed` when the asker must not have it.
 */
export type ReplicaFor = (asker: MemberId, group: GroupId, ns: string) => Replica;

type Answer = (from: MemberId, body: Uint8Array) => Promise<Uint8Array>;

/**
 * What the watchers of this node read: the replicas that are here, and those of other nodes for namespaces that are
 * not. And what this node answers to others that ask the same of it.
 */
export class WatchedHistory implements ChangeSource {
  private hub: WatchHub | undefined;
  private readonly bus: BusFeed | undefined;
  private readonly remote: RemoteHistory;
  private readonly tails: Tails;
  private readonly changesService: ChangesService;
  private readonly scanService: ScanService;
  private readonly locals = new WeakMap<Replica, LocalHistory>();

  constructor(private readonly options: WatchedHistoryOptions) {
    const { clock, random, directory, founders } = options;
    const holders = (group: GroupId): readonly MemberId[] => directory.holdersOf(group, founders);
    this.remote = new RemoteHistory(new Holders({ ...options, holders }), options.groupOf);
    this.tails = new Tails({
      clock,
      random,
      remote: this.remote,
      isLocal: (ns) => this.replicaOf(ns) !== undefined,
      isCarried: (ns) => this.bus?.carries(ns) === true,
    });
    const replica: ReplicaFor = (asker, group, ns) => this.replicaFor(asker, group, ns);
    const { bus } = options;
    this.bus =
      bus &&
      new BusFeed({
        ...options,
        bus,
        placementOf: (group) => directory.placementOf(group),
        onMessage: (message) => this.heard(message),
      });
    bus?.onChange(() => this.tails.wake());
    this.changesService = new ChangesService({ clock, replica });
    this.scanService = new ScanService({ clock, random, replica });
  }

  /** The requests of peers that this part of the node answers. */
  get answers(): readonly (readonly [kind: number, answer: Answer])[] {
    return [
      [PeerKind.changes, (from, body) => this.changesService.serve(from, body)],
      [PeerKind.scan, (from, body) => Promise.resolve().then(() => this.scanService.serve(from, body))],
    ];
  }

  /** Where changes go; set once, before the first of them. */
  feed(hub: WatchHub): void {
    this.hub = hub;
    this.tails.feed(hub);
  }

  /** Batches were applied on this node, in order. */
  applied(replica: Replica, batches: readonly ChangeBatch[]): void {
    if (this.bus !== undefined && replica.isLeader) this.bus.publish(replica.group, batches);
    for (const batch of batches) {
      this.hub?.publish(batch, 'local');
      this.changesService.published(batch);
    }
  }

  watched(ns: string, watched: boolean): void {
    if (!watched) this.remote.forget(ns);
    this.bus?.set(ns, watched);
    this.tails.set(ns, watched);
  }

  /** Now and then: replicas come and go. */
  look(): void {
    this.bus?.look();
    this.tails.look();
  }

  /** This node holds the group no more: whoever watches goes on with another replica, by coming again. */
  gone(group: GroupId): void {
    this.scanService.endGroup(group);
    this.hub?.endNamespaces((ns) => this.options.groupOf(ns) === group, 'draining');
  }

  stop(): void {
    this.bus?.stop();
    this.tails.stop();
    this.scanService.stop();
  }

  /**
   * Makes sure that a watch from `from` on can be judged: a position beyond what this node knows was either given
   * out where the history is further, or by nobody, and only a quorum can tell.
   */
  async reach(ns: string, from: CommitSeq | undefined): Promise<void> {
    const seen = (from === undefined ? 0 : from - 1) as CommitSeq;
    const replica = this.replicaOf(ns);
    if (replica === undefined) {
      await this.remote.open(ns, seen);
    } else if (seen > replica.commitSeq) {
      const deadlineMs = this.options.clock.monotonicMs() + HISTORY_LIMITS.confirmTimeoutMs;
      await replica.readLinearizable(() => undefined, deadlineMs);
    }
  }

  /** Whether a watch can begin; after {@link reach} it almost always can. */
  knows(ns: string): boolean {
    return this.replicaOf(ns) !== undefined || this.remote.knows(ns);
  }

  /** A watch that was about to begin did not. */
  abandoned(ns: string): void {
    this.remote.forget(ns);
  }

  position(ns: string): CommitSeq {
    return this.sourceOf(ns).position(ns);
  }

  firstAvailable(ns: string): CommitSeq {
    return this.sourceOf(ns).firstAvailable(ns);
  }

  changes(
    ns: string,
    from: CommitSeq,
    maxBytes: number,
    arrive: Arrival<ChangePage>,
  ): ChangePage | undefined {
    return this.sourceOf(ns).changes(ns, from, maxBytes, arrive);
  }

  openScan(ns: string, filter: WatchFilter): ObjectScan {
    return this.sourceOf(ns).openScan(ns, filter);
  }

  /** The bus is a hint: what it tells is new to the hub, or old, or shows that something was lost. */
  private heard(message: BusMessage): void {
    if (message.kind === 'newest') {
      this.remote.heard(message.ns, message.commitSeq);
      this.hub?.notice(message.ns, message.commitSeq);
    } else {
      this.remote.heard(message.batch.ns, message.batch.commitSeq);
      this.hub?.publish(message.batch, 'nats');
    }
  }

  private sourceOf(ns: string): ChangeSource {
    const replica = this.replicaOf(ns);
    if (replica === undefined) return this.remote;
    let local = this.locals.get(replica);
    if (local === undefined) {
      local = new LocalHistory(replica, this.options.clock);
      this.locals.set(replica, local);
    }
    return local;
  }

  /** The replica of a namespace, if there is one here that has anything yet, and all of a namespace that moved in. */
  private replicaOf(ns: string): Replica | undefined {
    const replica = this.options.driver.get(this.options.groupOf(ns));
    const isReady = replica !== undefined && replica.applied > 0 && replica.tenants.mayRead(ns);
    return isReady ? replica : undefined;
  }

  private replicaFor(asker: MemberId, group: GroupId, ns: string): Replica {
    if (!this.options.directory.mayHave(asker, group)) {
      throw new StateError('region_not_allowed', 'The namespace may not leave the regions of its placement.');
    }
    const replica = this.replicaOf(ns);
    if (replica === undefined || replica.group !== group) {
      throw new StateError('not_ready', 'This node does not hold the namespace.', { retry_after: 1 });
    }
    return replica;
  }
}
