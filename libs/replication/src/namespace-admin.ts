import {
  META_GROUP,
  RESERVED_NAMESPACE_PREFIX,
  StateError,
  type FieldError,
  type GroupId,
  type LogIndex,
  type MemberId,
} from '#contracts';
import type { Driver } from './driver';
import type { NamespaceOperations, NamespaceView } from './engine';
import type { Directory, Versioned } from './meta/directory';
import {
  NO_SETTINGS,
  neverPlaced,
  type GroupDocument,
  type NamespaceDocument,
  type NamespaceSettings,
} from './meta/documents';
import { cannotBegin } from './meta/groups-in-use';
import type { MetaWriter } from './meta/meta-writer';
import { groupOfPlacement, nextGroup, placementOf, type Placement } from './meta/namespace-placement';
import { allowedNodes, planReadReplicas, planVoters } from './meta/placement';
import type { NodeStatus } from './node-status';
import { noLeader } from './pending-reads';
import type { PlacementBug } from './moves/planted-bug';
import type { Clock, Network } from './ports';
import { DEFAULT_GROUP } from './default-group';

export interface NamespaceAdminOptions {
  readonly member: MemberId;
  readonly driver: Driver;
  readonly directory: Directory;
  readonly writer: MetaWriter;
  readonly network: Pick<Network, 'connected'>;
  readonly clock: Clock;
  readonly plantedBug: PlacementBug | undefined;
  /** The replicas of all nodes that answer. */
  readonly gather: () => Promise<readonly NodeStatus[]>;
}

/** How long a change is waited for, and how often it is looked at. */
const SETTLE_TIMEOUT_MS = 10_000;
const KNOWN_TIMEOUT_MS = 3_000;
const LOOK_AGAIN_MS = 20;
/** Others may write the same documents meanwhile; then it is begun again from what is. */
const ATTEMPTS = 10;

/** What an operator asks about namespaces. Works on every node: the documents are compared-and-set. */
export class NamespaceAdmin implements NamespaceOperations {
  constructor(private readonly options: NamespaceAdminOptions) {}

  settings(ns: string): NamespaceSettings | undefined {
    return this.options.directory.namespaces.get(ns)?.settings;
  }

  async list(): Promise<readonly NamespaceView[]> {
    await this.options.writer.refreshed();
    return [...this.options.directory.namespaces.values()]
      .filter(({ dropped }) => !dropped)
      .sort((left, right) => (left.ns < right.ns ? -1 : 1))
      .map((document) => this.view(document));
  }

  async get(ns: string): Promise<NamespaceView | undefined> {
    await this.options.writer.refreshed();
    const document = this.options.directory.namespaces.get(ns);
    return document === undefined || document.dropped ? undefined : this.view(document);
  }

  async set(ns: string, settings: NamespaceSettings): Promise<NamespaceView> {
    return this.view(await this.change(ns, settings, false));
  }

  async remove(ns: string): Promise<boolean> {
    if ((await this.get(ns)) === undefined) return false;
    await this.change(ns, NO_SETTINGS, true);
    return true;
  }

  /** Writes down another group for a namespace that is on its way to one that will never begin. */
  async placeAnew(ns: string): Promise<void> {
    const document = this.options.directory.namespaces.get(ns);
    if (document !== undefined) await this.decide(ns, document.settings, document.dropped);
  }

  private async change(
    ns: string,
    settings: NamespaceSettings,
    dropped: boolean,
  ): Promise<Versioned<NamespaceDocument>> {
    await this.decide(ns, settings, dropped);
    return this.settled(ns);
  }

  /** Writes down what the namespace is to be, and in which group. */
  private async decide(ns: string, settings: NamespaceSettings, dropped: boolean): Promise<void> {
    if (ns.startsWith(RESERVED_NAMESPACE_PREFIX)) {
      throw new StateError('namespace_denied', `Namespaces under ${RESERVED_NAMESPACE_PREFIX} are reserved.`);
    }
    for (let attempt = 1; ; attempt++) {
      await this.options.writer.refreshed();
      const defaults = await this.defaults();
      const { removals } = this.options.directory;
      this.refuseUnknownRegions(settings);
      try {
        const group = await this.groupFor(settings, defaults);
        if (group !== undefined) {
          const document = this.next(ns, settings, { group, dropped });
          return await this.options.writer.placeNamespace(document, removals);
        }
      } catch (error) {
        const isStale = error instanceof StateError && error.code === 'precondition_failed';
        if (!isStale) throw error;
        if (attempt >= ATTEMPTS)
          throw new StateError('conflict', 'The settings are being changed; ask again.');
      }
    }
  }

  /** The document after this one; throws `conflict` while the namespace is on its way elsewhere. */
  private next(
    ns: string,
    settings: NamespaceSettings,
    { group, dropped }: { readonly group: GroupId; readonly dropped: boolean },
  ): NamespaceDocument | Versioned<NamespaceDocument> {
    const { namespaces, groups, nodes } = this.options.directory;
    const known = namespaces.get(ns) ?? neverPlaced(ns);
    const target = known.movingTo === undefined ? undefined : groups.get(known.movingTo);
    const isOnItsWay = target !== undefined && target.group !== group && !cannotBegin(target, nodes);
    if (isOnItsWay || (known.group !== group && known.erasing.includes(group))) {
      throw new StateError('conflict', 'The namespace is being moved; ask again when it is there.', {
        retry_after: 1,
      });
    }
    return { ...known, settings, dropped, movingTo: known.group === group ? undefined : group };
  }

  /** The group of the placement that settings ask for; `undefined` when one was begun just now. */
  private async groupFor(settings: NamespaceSettings, defaults: GroupDocument): Promise<GroupId | undefined> {
    const { directory, writer } = this.options;
    const placement = placementOf(settings, defaults);
    const known = groupOfPlacement(placement, directory);
    if (known !== undefined) return known.group;
    await writer.writeGroup(this.newGroup(placement));
    return undefined;
  }

  /**
   * The group of all that is not pinned. A cluster that has only just begun serves before its first leader has
   * written this document and, before it, those of the nodes; so it is waited for.
   */
  private async defaults(): Promise<GroupDocument> {
    const { directory, clock } = this.options;
    const deadlineMs = clock.monotonicMs() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const defaults = directory.groups.get(DEFAULT_GROUP);
      if (defaults !== undefined) return defaults;
      if (clock.monotonicMs() >= deadlineMs) throw noLeader();
      await this.pause();
      await this.options.writer.refreshed();
    }
  }

  /** Begun by those of its first voters that are there now; the others join them. */
  private newGroup(placement: Placement): GroupDocument {
    const { directory, network, member, plantedBug } = this.options;
    const allowed = plantedBug === 'ignorePin' ? { regions: undefined } : placement;
    const nodes = allowedNodes(allowed, directory.nodes.values());
    const isThere = (one: MemberId): boolean => one === member || network.connected(one);
    const present = nodes.filter((node) => isThere(node.member));
    const founders = planVoters({ ...placement, ...allowed, voters: [] }, present);
    if (founders.length === 0) {
      throw new StateError('not_ready', 'No node of these regions answers now; try again.', {
        retry_after: 1,
      });
    }
    const voters = planVoters({ ...placement, voters: founders }, nodes);
    const learners = planReadReplicas({ ...placement, learners: [] }, voters, nodes);
    return { ...placement, group: nextGroup(directory.groups), voters, learners, founders, forming: true };
  }

  private refuseUnknownRegions({ regions, readReplicas }: NamespaceSettings): void {
    const active = [...this.options.directory.nodes.values()].filter(({ state }) => state === 'active');
    const known = [...new Set(active.map(({ region }) => region))].sort();
    const errors: FieldError[] = [];
    const look = (field: string, region: string): void => {
      if (known.includes(region)) return;
      errors.push({
        field,
        reason: `no node of the cluster is in the region ${region}; there are ${known.join(', ')}`,
      });
    };
    for (const region of regions ?? []) look('regions', region);
    for (const region of Object.keys(readReplicas)) look(`read_replicas.${region}`, region);
    if (errors.length === 0) return;
    const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    throw new StateError('invalid_request', detail, { errors });
  }

  /** Waits until the namespace is where it belongs and everyone who is alive knows; not for ever. */
  private async settled(ns: string): Promise<Versioned<NamespaceDocument>> {
    const { directory, clock } = this.options;
    const deadlineMs = clock.monotonicMs() + SETTLE_TIMEOUT_MS;
    await this.options.writer.refreshed();
    while (directory.namespaces.get(ns)?.movingTo !== undefined && clock.monotonicMs() < deadlineMs) {
      await this.pause();
    }
    await this.knownToAll();
    const document = directory.namespaces.get(ns);
    if (document === undefined) throw new Error('a document of a namespace that was written is not there');
    return document;
  }

  private async knownToAll(): Promise<void> {
    const { driver, clock, gather } = this.options;
    const index = driver.get(META_GROUP)?.applied ?? (0 as LogIndex);
    const deadlineMs = clock.monotonicMs() + KNOWN_TIMEOUT_MS;
    for (;;) {
      const metas = (await gather()).map(({ replicas }) =>
        replicas.find(({ group }) => group === META_GROUP),
      );
      const isBehind = metas.some((meta) => meta !== undefined && meta.applied < index);
      if (!isBehind || clock.monotonicMs() >= deadlineMs) return;
      await this.pause();
    }
  }

  private view(document: NamespaceDocument): NamespaceView {
    const { ns, settings, group, movingTo, erasing, scrubbing } = document;
    const placed = this.options.directory.groups.get(movingTo ?? group);
    return {
      ns,
      settings,
      group,
      movingTo,
      isErasing: erasing.length + scrubbing.length > 0,
      replicas: { placed: placed?.voters.length ?? 0, wanted: placed?.replicas ?? 0 },
    };
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(LOOK_AGAIN_MS, resolve));
  }
}
