import { StateError, type GroupId, type MemberId } from '#contracts';
import { decodeBody, encodeBody, type TransferQuestion } from './cluster-bodies';
import type { Driver } from './driver';
import type { ClusterOperations } from './engine';
import type { FoundingMember } from './identity';
import { foundingNode } from './meta/cluster-keeper';
import type { Directory, Versioned } from './meta/directory';
import type { GroupDocument, NodeDocument } from './meta/documents';
import { isInUse, isOver } from './meta/groups-in-use';
import type { Handover } from './meta/leader-balance';
import type { MetaWriter } from './meta/meta-writer';
import { allowedNodes } from './meta/placement';
import { replicaStatus, type NodeStatus, type ReplicaStatus } from './node-status';
import { PeerKind } from './peers/peer-kinds';
import { noLeader } from './pending-reads';
import type { Clock, LogStore, Network } from './ports';

/** The cluster as one node can see it: what is written down, and what the reachable nodes say of themselves. */
export interface ClusterView {
  readonly clusterId: string;
  readonly member: MemberId;
  readonly nodes: readonly (NodeDocument & { readonly alive: boolean })[];
  readonly groups: readonly GroupView[];
}

export interface GroupView {
  readonly group: GroupId;
  /** Regions that may hold it; `undefined` for any. */
  readonly regions: readonly string[] | undefined;
  /** As the member with the newest term says; absent when nobody reachable knows one. */
  readonly leader: ReplicaStatus | undefined;
  readonly replicas: readonly (ReplicaStatus & { readonly member: MemberId })[];
  /** Who should hold it; `undefined` for the meta group, and until the documents are known. */
  readonly wanted: Pick<GroupDocument, 'replicas' | 'voters' | 'learners' | 'forming'> | undefined;
  /** How many configured namespaces it serves. */
  readonly namespaces: number;
}

export interface ClusterAdminOptions {
  readonly clusterId: string;
  readonly member: MemberId;
  readonly region: string;
  /** Who is known until the first leader has written the nodes down. */
  readonly founders: readonly FoundingMember[];
  readonly driver: Driver;
  readonly clock: Clock;
  readonly log: LogStore;
  readonly directory: Directory;
  readonly network: Network;
  readonly writer: MetaWriter;
}

const STATUS_FIELDS = { member: 'number', replicas: 'object', space: 'string' } as const;
const STATUS_TIMEOUT_MS = 1_000;
const TRANSFER_TIMEOUT_MS = 5_000;

/** What an operator asks of a cluster. Works on every node; the changes go through the meta group. */
export class ClusterAdmin implements ClusterOperations {
  constructor(private readonly options: ClusterAdminOptions) {}

  /** This node's replicas. */
  status(): NodeStatus {
    const { member, region, driver, log } = this.options;
    const replicas = [...driver.all()].map(replicaStatus);
    const forgetting = log.holdsForgotten || log.holdsAside;
    return { member, region, replicas, forgetting, space: log.space() };
  }

  async view(): Promise<ClusterView> {
    const { clusterId, member, directory } = this.options;
    const statuses = await this.gather();
    const alive = new Set(statuses.map((status) => status.member));
    const replicas = statuses.flatMap((status) =>
      status.replicas.map((replica) => ({ ...replica, member: status.member })),
    );
    const placed = [...directory.namespaces.values()].filter(({ dropped }) => !dropped);
    const documents = [...directory.groups.values()].filter((document) => !isOver(document, directory));
    const wantedGroups = documents.map(({ group }) => group);
    const groups = [...new Set([...wantedGroups, ...replicas.map(({ group }) => group)])];
    return {
      clusterId,
      member,
      nodes: this.nodes().map((node) => ({ ...node, alive: alive.has(node.member) })),
      groups: groups
        .sort((left, right) => left - right)
        .map((group) => {
          const held = replicas.filter((replica) => replica.group === group);
          const leaders = held.filter(({ role }) => role === 'leader');
          const leader = leaders.sort((left, right) => right.term - left.term)[0];
          const wanted = directory.groups.get(group);
          const namespaces = placed.filter((document) => document.group === group).length;
          return { group, regions: wanted?.regions, leader, replicas: held, wanted, namespaces };
        }),
    };
  }

  /** By how many live voters the groups that this node leads have fewer than they should have. */
  missingReplicas(): readonly { readonly group: GroupId; readonly missing: number }[] {
    const { driver, directory, member } = this.options;
    return [...driver.all()].flatMap((replica) => {
      const wanted = directory.groups.get(replica.group);
      if (wanted === undefined || !replica.isLeader) return [];
      const { progress, confState } = replica.status();
      const live = confState.voters.filter(
        (voter) => voter === member || progress.some((one) => one.member === voter && one.recentActive),
      );
      return [{ group: replica.group, missing: Math.max(0, wanted.replicas - live.length) }];
    });
  }

  /** The replicas of all nodes that answer. */
  async gather(): Promise<readonly NodeStatus[]> {
    const others = this.nodes().filter(
      (node) => node.state !== 'removed' && node.member !== this.options.member,
    );
    const answers = await Promise.all(others.map((node) => this.ask(node.member)));
    return [this.status(), ...answers.filter((answer) => answer !== undefined)];
  }

  /** The replicas of another node; `undefined` when it does not answer. */
  ask(member: MemberId): Promise<NodeStatus | undefined> {
    return this.options.network
      .request(member, PeerKind.status, new Uint8Array(0), { timeoutMs: STATUS_TIMEOUT_MS })
      .then((body) => decodeBody<NodeStatus>(body, STATUS_FIELDS))
      .catch(() => undefined);
  }

  /** Begins the removal of a node: it gives up its replicas one by one, and never comes back under this id. */
  async removeNode(name: string): Promise<NodeDocument> {
    await this.options.writer.refreshed();
    const node = this.nodeNamed(name);
    const before = this.whyNeeded(node);
    if (before !== undefined && node.state === 'active') throw before;
    if (node.state === 'active') await this.writeState(node, 'leaving');
    // Meanwhile something may have been placed where only this node is, or the others that are there leave as well.
    await this.options.writer.markRemoval();
    await this.options.writer.refreshed();
    const leaving = this.options.directory.nodes.get(node.member) ?? node;
    const needed = this.whyNeeded(leaving);
    if (leaving.state === 'removed' || needed === undefined) return leaving;
    if (leaving.state === 'leaving') await this.writeState(leaving, 'active');
    throw needed;
  }

  private async writeState(node: Versioned<NodeDocument>, state: NodeDocument['state']): Promise<void> {
    await this.options.writer.writeNodes([{ ...node, state }]).catch((error: unknown) => {
      const changed = error instanceof StateError && error.code === 'precondition_failed';
      throw changed
        ? new StateError('conflict', `The node ${node.name} changed meanwhile; ask again.`)
        : error;
    });
  }

  /** What stands against a node's removal: what is pinned to its region and in use would have nowhere to go. */
  private whyNeeded(node: NodeDocument): StateError | undefined {
    const { directory } = this.options;
    const remaining = [...directory.nodes.values()].filter(
      ({ state, member }) => state === 'active' && member !== node.member,
    );
    if (remaining.length === 0)
      return new StateError('conflict', 'The last node of a cluster cannot be removed.');
    for (const group of directory.groups.values()) {
      const isHolder = allowedNodes(group, [{ ...node, state: 'active' }]).length > 0;
      if (!isHolder || allowedNodes(group, remaining).length > 0 || !isInUse(group.group, directory))
        continue;
      const regions = group.regions?.join(', ') ?? 'any region';
      return new StateError(
        'conflict',
        `The node ${node.name} is the last one that may hold what is pinned to ${regions} (group ${group.group}); add a node there, or place these namespaces elsewhere, before it is removed.`,
      );
    }
    return undefined;
  }

  /** Asks a group's leader to hand over to another voter; resolves when it was asked, not when it is done. */
  async transferLeader(group: GroupId, name: string): Promise<void> {
    await this.options.writer.refreshed();
    const { driver } = this.options;
    const to = this.nodeNamed(name).member;
    const replica = driver.get(group);
    const known =
      replica?.leader ?? (await this.view()).groups.find((one) => one.group === group)?.leader?.leader;
    if (known === undefined) throw new StateError('not_found', `There is no group ${group}.`);
    if (known === 0)
      throw new StateError('no_leader', 'The group has no leader right now.', { retry_after: 1 });
    await this.askToHandOver({ group, from: known, to });
  }

  /** Tells a leader to hand over, here or on another node. */
  async askToHandOver({ group, from, to }: Handover): Promise<void> {
    const { member, network } = this.options;
    const question = encodeBody({ group, to });
    if (from === member) this.handOver(question);
    else await network.request(from, PeerKind.transfer, question, { timeoutMs: TRANSFER_TIMEOUT_MS });
  }

  /** The leader's side of {@link transferLeader}. */
  handOver(question: Uint8Array): void {
    const { group, to } = decodeBody<TransferQuestion>(question, { group: 'number', to: 'number' });
    const replica = this.options.driver.get(group);
    if (replica?.isLeader !== true) {
      throw new StateError('no_leader', 'This node does not lead the group any more.', { retry_after: 1 });
    }
    if (!replica.configuration.voters.includes(to)) {
      throw new StateError('invalid_request', 'Only a voter of the group can lead it.');
    }
    replica.transferLeadership(to);
  }

  private nodes(): readonly NodeDocument[] {
    const { directory, founders } = this.options;
    return directory.nodes.size > 0 ? [...directory.nodes.values()] : founders.map(foundingNode);
  }

  private nodeNamed(name: string): Versioned<NodeDocument> {
    const { directory } = this.options;
    if (directory.nodes.size === 0) throw noLeader();
    const node = directory.activeByName(name);
    if (node === undefined) throw new StateError('not_found', `There is no node named ${name}.`);
    return node;
  }
}
