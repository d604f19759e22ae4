import { encodeCommand } from '#codec';
import { META_GROUP, StateError, type CommandOutcome, type CommitSeq, type WriteCommand } from '#contracts';
import type { Driver } from '../driver';
import type { Forwarding } from '../forwarding';
import { whileLeaderless } from '../leader-patience';
import { noLeader } from '../pending-reads';
import type { Clock } from '../ports';
import {
  META_NAMESPACES,
  REMOVALS_MARK,
  groupBody,
  namespaceBody,
  neverPlaced,
  nodeBody,
  type GroupDocument,
  type NamespaceDocument,
  type NodeDocument,
} from './documents';
import type { Versioned } from './directory';

const TIMEOUT_MS = 5_000;

/**
 * Writes documents of the meta group, from any node. Every write is compared against what was read. While the group
 * elects a leader it waits, at most `patienceMs`; then it rejects with `no_leader`.
 */
export class MetaWriter {
  constructor(
    private readonly driver: Driver,
    private readonly clock: Clock,
    private readonly forwarding: Pick<Forwarding, 'write'>,
    private readonly patienceMs: number,
  ) {}

  get leads(): boolean {
    return this.driver.get(META_GROUP)?.isLeader === true;
  }

  /** Resolves when this node's directory holds all that was written before the call. */
  async refreshed(): Promise<void> {
    await whileLeaderless(this.clock, this.patienceMs, async () => {
      const meta = this.driver.get(META_GROUP);
      if (meta === undefined) throw noLeader();
      await meta.readLinearizable(() => undefined, this.clock.monotonicMs() + TIMEOUT_MS);
    });
  }

  /** Creates (without a version) or replaces nodes, all or none. Rejects with `precondition_failed` when one changed. */
  async writeNodes(nodes: readonly (NodeDocument | Versioned<NodeDocument>)[]): Promise<void> {
    await this.write({
      kind: 'write',
      ns: META_NAMESPACES.nodes,
      operations: nodes.map((node) => document(String(node.member), nodeBody(node), versionOf(node))),
    });
  }

  async writeGroup(group: GroupDocument | Versioned<GroupDocument>): Promise<void> {
    await this.write({
      kind: 'write',
      ns: META_NAMESPACES.groups,
      operations: [document(String(group.group), groupBody(group), versionOf(group))],
    });
  }

  async writeNamespace(namespace: NamespaceDocument | Versioned<NamespaceDocument>): Promise<void> {
    await this.write({
      kind: 'write',
      ns: META_NAMESPACES.namespaces,
      operations: [document(namespace.ns, namespaceBody(namespace), versionOf(namespace))],
    });
  }

  /**
   * The same for where an operator wants it, which was decided from nodes that were read together with this version of
   * the mark of removals. Rejects with `precondition_failed` also when a node was about to go since.
   */
  async placeNamespace(
    namespace: NamespaceDocument | Versioned<NamespaceDocument>,
    removals: CommitSeq | undefined,
  ): Promise<void> {
    const isUnchanged = removals === undefined ? { ifNoneMatch: true } : { ifMatch: removals };
    await this.write({
      kind: 'write',
      ns: META_NAMESPACES.namespaces,
      operations: [
        { op: 'check', id: REMOVALS_MARK, ...isUnchanged },
        document(namespace.ns, namespaceBody(namespace), versionOf(namespace)),
      ],
    });
  }

  /** A node is about to go: what was decided before without knowing so, and is not written yet, never will be. */
  async markRemoval(): Promise<void> {
    const bodyJson = namespaceBody({ ...neverPlaced(REMOVALS_MARK), dropped: true });
    await this.write({
      kind: 'write',
      ns: META_NAMESPACES.namespaces,
      operations: [{ op: 'put', id: REMOVALS_MARK, type: 'object', bodyJson, tags: {}, parents: [] }],
    });
  }

  private async write(command: WriteCommand): Promise<void> {
    const outcome = await whileLeaderless(this.clock, this.patienceMs, () => this.propose(command));
    if (outcome.kind === 'rejected') throw new StateError(outcome.code, outcome.detail, outcome.extras);
  }

  private async propose(command: WriteCommand): Promise<CommandOutcome> {
    const replica = this.driver.get(META_GROUP);
    const bytes = encodeCommand(command, this.clock.wallMs());
    return replica?.isLeader === true
      ? replica.propose(bytes, this.clock.monotonicMs() + TIMEOUT_MS)
      : this.forwarding.write(META_GROUP, replica?.leader, bytes, TIMEOUT_MS);
  }
}

function document(
  id: string,
  bodyJson: string,
  version: CommitSeq | undefined,
): WriteCommand['operations'][number] {
  const condition = version === undefined ? { ifNoneMatch: true } : { ifMatch: version };
  return { op: 'put', id, type: 'object', bodyJson, tags: {}, parents: [], ...condition };
}

function versionOf(document: object): CommitSeq | undefined {
  return 'version' in document ? (document as { readonly version: CommitSeq }).version : undefined;
}
