import type { GroupId, LogIndex, MemberId, SnapshotCommand } from '#contracts';
import type { Digest } from '#state-machine';
import type { Driver } from '../driver';
import type { Forwarding } from '../forwarding';
import type { NodeIdentity } from '../identity';
import type { Clock, LogStore, Network } from '../ports';
import type { Replica } from '../replica';
import type { Routing } from '../routing';
import type { SnapshotArchive, SnapshotRecord } from './archive';
import { LogHold } from './log-hold';
import { NamedSnapshots, type SnapshotObserver } from './named-snapshots';
import { PartExchange } from './part-exchange';
import type { SnapshotOperations } from './snapshot-operations';
import { SnapshotSchedule } from './snapshot-schedule';
import { SnapshotService } from './snapshot-service';

/** How a node is to keep named snapshots. */
export interface SnapshotPolicy {
  /** Between two that the cluster takes by itself; 0 takes none. */
  readonly intervalMs: number;
  /** How many stay; 0 keeps all. */
  readonly keep: number;
  /** Bytes that the log may take so that snapshots can be rolled forward through it, before a newer one is taken. */
  readonly logBytes: number;
}

export interface NodeSnapshotsOptions {
  readonly identity: NodeIdentity;
  readonly region: string;
  readonly archive: SnapshotArchive;
  readonly policy: SnapshotPolicy;
  readonly driver: Driver;
  readonly log: LogStore;
  readonly clock: Clock;
  readonly network: Network;
  readonly digest: Digest;
  readonly routing: Routing;
  readonly forwarding: Pick<Forwarding, 'write'>;
  readonly groups: () => Iterable<GroupId>;
  readonly holders: (group: GroupId) => readonly MemberId[];
  readonly nameOf: (member: MemberId) => string;
  readonly leadsMeta: () => boolean;
  readonly newSnapshotId: () => string;
  readonly observer: SnapshotObserver;
}

/** All that a node does about named snapshots, put together. */
export class NodeSnapshots {
  readonly operations: SnapshotOperations;
  private readonly named: NamedSnapshots;
  private readonly exchange: PartExchange;
  private readonly hold: LogHold;
  private readonly schedule: SnapshotSchedule;
  private isLogHeld = false;

  constructor(private readonly options: NodeSnapshotsOptions) {
    const { identity, driver, log, policy, observer } = options;
    this.exchange = new PartExchange({
      ...options,
      member: identity.member,
      snapshots: () => this.named,
      replica: (group) => driver.get(group),
    });
    this.named = new NamedSnapshots({
      ...options,
      holds: (group) => driver.get(group) !== undefined,
      onPublished: (record) => this.published(record),
    });
    this.hold = new LogHold({
      log,
      pointsOf: (group) => this.named.pointsOf(group),
      logBytes: policy.logBytes,
    });
    this.operations = new SnapshotService({
      ...options,
      clusterId: identity.clusterId,
      snapshots: this.named,
      exchange: this.exchange,
    });
    this.schedule = new SnapshotSchedule({
      clock: options.clock,
      intervalMs: policy.intervalMs,
      records: () => this.named.records(),
      logOutgrown: () => (this.hold.wouldRelease ? this.hold.outgrown : 0),
      isOurs: options.leadsMeta,
      take: () => this.operations.take(),
      onError: (error) => observer.warning('taking a snapshot by the schedule', error),
    });
  }

  get mismatches(): readonly string[] {
    return this.exchange.mismatches;
  }

  /** To be called once all replicas are open: removes what is left of groups that this member gave up. */
  begin(): Promise<void> {
    const { archive, driver, identity } = this.options;
    const { clusterId, member } = identity;
    return archive.retain(
      (record, { group }) =>
        record.clusterId !== clusterId || record.node.member !== member || driver.get(group) !== undefined,
    );
  }

  take(replica: Replica, command: SnapshotCommand): void {
    this.named.take(replica, command);
  }

  trimmableTo(group: GroupId): LogIndex | undefined {
    return this.hold.trimmableTo(group);
  }

  answerPart(body: Uint8Array): Uint8Array {
    return this.exchange.answer(body);
  }

  /** The group leaves this node, and all that snapshots have of it. */
  forget(group: GroupId): Promise<void> {
    return this.named.forget(group);
  }

  /** See {@link NamedSnapshots.forgetBefore}. */
  forgetBefore(group: GroupId, before: LogIndex): Promise<boolean> {
    return this.named.forgetBefore(group, before);
  }

  /** What is looked after between requests. */
  tend(): void {
    this.schedule.step();
    const { isOverdue } = this.hold;
    if (isOverdue !== this.isLogHeld) this.options.observer.logHeld(isOverdue);
    this.isLogHeld = isOverdue;
    void this.exchange.step();
  }

  stop(): Promise<void> {
    return this.named.stop();
  }

  private published(record: SnapshotRecord): void {
    const { policy, observer } = this.options;
    this.exchange.compare(record);
    if (policy.keep === 0) return;
    this.named.keepNewest(policy.keep).catch((error: unknown) => {
      observer.warning('old snapshots could not be removed', error as Error);
    });
  }
}
