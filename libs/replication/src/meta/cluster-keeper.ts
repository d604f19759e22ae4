import { META_GROUP, StateError, type GroupId, type MemberId } from '#contracts';
import type { NodeStatus } from '../node-status';
import type { Clock } from '../ports';
import type { Driver } from '../driver';
import type { FoundingMember } from '../identity';
import type { Directory } from './directory';
import type { GroupDocument, NodeDocument } from './documents';
import { cannotBegin, isOver } from './groups-in-use';
import { keepMembership } from './membership-keeper';
import type { MetaWriter } from './meta-writer';
import { nextHandover, type Handover } from './leader-balance';
import type { LostNodes } from './lost-nodes';
import { Newcomers } from './newcomers';
import { planAround, planMeta, planReadReplicas } from './placement';
import { isRemovalKept } from './removal';

export interface ClusterKeeperOptions {
  readonly driver: Driver;
  readonly directory: Directory;
  readonly writer: MetaWriter;
  readonly founders: readonly FoundingMember[];
  /** Where the API of a founder is; founders tell it themselves when they first lead. */
  readonly defaultGroup: GroupId;
  readonly defaultReplicas: number;
  /** The replicas of all nodes that answer. */
  readonly gather: () => Promise<readonly NodeStatus[]>;
  /** Those of one node, if it answers. */
  readonly ask: (member: MemberId) => Promise<NodeStatus | undefined>;
  readonly lost: LostNodes;
  readonly clock: Clock;
  readonly balanceMs: number;
  /** Asks a group's leader to hand over. */
  readonly handOver: (handover: Handover) => Promise<void>;
  /** Sends a namespace to another group, whose group will never begin. */
  readonly placeAnew: (ns: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/**
 * Brings the cluster to what its documents say, a step at a time. The leader of the meta group decides who should
 * hold each group and writes it down; the leader of each group carries it out. Both look at what is and at what is
 * wanted, and remember nothing in between, so either may change or crash at any point.
 */
export class ClusterKeeper {
  private busy = false;
  private balancedMs = 0;
  private readonly newcomers: Newcomers;

  constructor(private readonly options: ClusterKeeperOptions) {
    this.newcomers = new Newcomers(
      options.ask,
      () => this.step(),
      (group, region) => options.directory.groups.get(group)?.regions?.includes(region) ?? true,
    );
  }

  /** Takes the next steps, if there are any and none is under way. */
  step(): void {
    this.options.lost.look();
    this.carryOut();
    if (this.busy || !this.options.writer.leads) return;
    this.busy = true;
    void this.decide()
      .catch((error: unknown) => {
        // Someone else was first, or leadership moved: the next step starts from what is then.
        if (!(error instanceof StateError)) this.options.onError(error as Error);
      })
      .finally(() => (this.busy = false));
  }

  private carryOut(): void {
    const { driver, directory } = this.options;
    for (const replica of driver.all()) {
      if (!replica.isLeader) continue;
      const nodes = [...directory.nodes.values()];
      const mayJoin = (member: MemberId): boolean => this.newcomers.mayJoin(replica, member);
      if (replica.group === META_GROUP) {
        if (nodes.length > 0) {
          const { voters } = replica.configuration;
          keepMembership(replica, planMeta(voters, nodes, this.options.lost.all()), mayJoin);
        }
        continue;
      }
      const wanted = directory.groups.get(replica.group);
      if (wanted !== undefined && !wanted.forming) keepMembership(replica, wanted, mayJoin);
    }
  }

  private async decide(): Promise<void> {
    const { directory, writer } = this.options;
    if (directory.nodes.size === 0) {
      await writer.writeNodes(this.options.founders.map((founder) => foundingNode(founder)));
      return;
    }
    const nodes = [...directory.nodes.values()];
    if (!directory.groups.has(this.options.defaultGroup)) {
      await writer.writeGroup({
        group: this.options.defaultGroup,
        regions: undefined,
        replicas: this.options.defaultReplicas,
        readReplicas: {},
        retention: { seconds: undefined, commits: undefined },
        voters: this.options.founders.map(({ member }) => member),
        learners: [],
        founders: this.options.founders.map(({ member }) => member),
        forming: false,
      });
      return;
    }
    for (const group of directory.groups.values()) {
      if (isOver(group, directory)) continue;
      const voters = planAround(this.options.lost.all(), group, nodes);
      const learners = planReadReplicas(group, voters, nodes);
      const isPlanned = sameMembers(voters, group.voters) && sameMembers(learners, group.learners);
      if (voters.length === 0 || isPlanned) continue;
      await writer.writeGroup({ ...group, voters, learners });
      return;
    }
    for (const { ns, movingTo } of directory.namespaces.values()) {
      const target = movingTo === undefined ? undefined : directory.groups.get(movingTo);
      if (target !== undefined && cannotBegin(target, directory.nodes)) return this.options.placeAnew(ns);
    }
    const leaving = nodes.find(({ state }) => state === 'leaving');
    if (leaving !== undefined && (await this.holdsNothing(leaving.member))) {
      // Who has read that the node is there, and has yet to place something on it, cannot any more.
      await writer.markRemoval();
      if (await this.holdsNothing(leaving.member))
        await writer.writeNodes([{ ...leaving, state: 'removed' }]);
      return;
    }
    await this.balance();
  }

  /** Spreads leaders, one handover at a time and not too often. */
  private async balance(): Promise<void> {
    const { clock, balanceMs, directory, gather, handOver } = this.options;
    const nowMs = clock.monotonicMs();
    if (directory.groups.size < 2 || nowMs - this.balancedMs < balanceMs) return;
    this.balancedMs = nowMs;
    const handover = nextHandover(await gather());
    if (handover !== undefined) await handOver(handover);
  }

  /**
   * Whether every group that is still needed goes on without the node for good; the meta group, which all follow,
   * without its vote.
   */
  private async holdsNothing(member: MemberId): Promise<boolean> {
    const { driver, directory, gather } = this.options;
    const statuses = await gather();
    // That nobody needs a group can be told only from all that was decided.
    const isNeeded = (group: GroupDocument): boolean =>
      driver.get(META_GROUP)?.knowsAll !== true || !isOver(group, directory);
    const groups = [...directory.groups.values()].filter(({ group }) => group !== META_GROUP);
    return (
      isRemovalKept(META_GROUP, member, statuses, 'voter') &&
      groups.every((group) => isRemovalKept(group.group, member, statuses) || !isNeeded(group))
    );
  }
}

/** How a first member is written down. */
export function foundingNode({
  member,
  name,
  region,
  host,
  port,
  incarnation,
}: FoundingMember): NodeDocument {
  return { member, name, region, host, port, httpUrl: '', incarnation, state: 'active' };
}

function sameMembers(left: readonly MemberId[], right: readonly MemberId[]): boolean {
  return left.length === right.length && left.every((member) => right.includes(member));
}
