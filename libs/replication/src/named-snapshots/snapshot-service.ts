import { encodeCommand } from '#codec';
import { META_GROUP, StateError, type GroupId, type LogIndex, type SnapshotCommand } from '#contracts';
import { openDump } from '#state-machine';
import type { Driver } from '../driver';
import type { Forwarding } from '../forwarding';
import type { Clock, LogSegment, LogStore } from '../ports';
import { moved } from '../refusals';
import type { Replica } from '../replica';
import type { Routing } from '../routing';
import type { SnapshotArchive, SnapshotRecord } from './archive';
import type { NamedSnapshots } from './named-snapshots';
import type { PartExchange } from './part-exchange';
import type { DumpStream, HeldGroup, NodeManifest, SnapshotOperations } from './snapshot-operations';

export interface SnapshotServiceOptions {
  readonly clusterId: string;
  readonly driver: Driver;
  readonly log: LogStore;
  readonly clock: Clock;
  readonly routing: Routing;
  readonly forwarding: Pick<Forwarding, 'write'>;
  readonly archive: SnapshotArchive;
  readonly snapshots: NamedSnapshots;
  readonly exchange: PartExchange;
  /** Groups that the cluster has, as this node knows it. */
  readonly groups: () => Iterable<GroupId>;
  /** A name that no snapshot had before, in the order of time. */
  readonly newSnapshotId: () => string;
}

const PROPOSAL_TIMEOUT_MS = 10_000;
const TAKING_TIMEOUT_MS = 300_000;
const DUMP_TIMEOUT_MS = 10_000;

/** Carries out what operators ask about snapshots. */
export class SnapshotService implements SnapshotOperations {
  constructor(private readonly options: SnapshotServiceOptions) {}

  async take(): Promise<SnapshotRecord> {
    const { log, clock, driver, snapshots, exchange, newSnapshotId } = this.options;
    if (log.space() === 'low') {
      throw new StateError('storage_full', 'The disk is nearly full: there is no room for a snapshot.');
    }
    const groups = this.allGroups();
    const snapshotId = newSnapshotId();
    const command: SnapshotCommand = { kind: 'snapshot', snapshotId, createdMs: clock.wallMs(), groups };
    const published = snapshots.published(snapshotId, TAKING_TIMEOUT_MS);
    // Whoever waits for it below sees why; if naming it fails already, nobody does.
    published.catch(() => undefined);
    await Promise.all(groups.map((group) => this.name(group, command)));
    const away = groups.filter((group) => driver.get(group) === undefined);
    const others = await Promise.all(
      away.map((group) => exchange.fetch(snapshotId, group, TAKING_TIMEOUT_MS)),
    );
    if (away.length === groups.length) throw new StateError('not_ready', 'This node holds no group yet.');
    const own = await published;
    return { ...own, parts: [...own.parts, ...others].sort((left, right) => left.group - right.group) };
  }

  async trim(snapshotId: string): Promise<readonly LogSegment[]> {
    const { snapshots, driver, log, clusterId } = this.options;
    const record = snapshots.record(snapshotId);
    if (record === undefined) {
      throw new StateError('not_found', 'This node has no snapshot of this id.');
    }
    if (record.clusterId !== clusterId) {
      throw new StateError(
        'conflict',
        'The snapshot is from before this node was restored: its log is another one.',
      );
    }
    for (const { group, index } of record.parts) {
      const replica = driver.get(group);
      if (replica !== undefined) await this.trimGroup(replica, index);
    }
    return log.reclaim();
  }

  manifest(): Promise<NodeManifest> {
    const { clusterId, log, archive, driver, snapshots } = this.options;
    const replicas = [...driver.all()];
    let stateBytes = 0;
    for (const { store } of replicas) stateBytes += store.bytes();
    return Promise.resolve({
      clusterId,
      segments: log.segments(),
      groups: replicas.map((replica) => this.held(replica)),
      snapshots: snapshots.records(),
      bytes: { wal: log.stats().bytes, state: stateBytes, snapshots: archive.bytes() },
    });
  }

  async dump(ns?: string): Promise<DumpStream> {
    const { driver, routing, clock } = this.options;
    if (ns !== undefined) routing.refuseOutside(ns);
    const replicas =
      ns === undefined
        ? [...driver.all()].filter(({ group }) => group !== META_GROUP)
        : [driver.get(routing.groupOf(ns))];
    const held = replicas.filter((replica) => replica !== undefined);
    if (held.length === 0) {
      throw new StateError('not_ready', 'This node does not hold the namespace; ask one that does.', {
        retry_after: 1,
      });
    }
    const deadlineMs = clock.monotonicMs() + DUMP_TIMEOUT_MS;
    await Promise.all(held.map((replica) => replica.readLinearizable(() => undefined, deadlineMs)));
    if (ns !== undefined && held[0]?.tenants.mayRead(ns) !== true) throw moved();
    // All scans are opened in one turn, so that they show one moment of this node.
    const nowMs = clock.wallMs();
    const dumps = held.map(({ store, tenants }) => {
      return openDump(store, nowMs, { ns, isServed: (name) => tenants.mayRead(name) });
    });
    const next = (maxBytes: number): readonly Uint8Array[] => {
      for (let dump = dumps[0]; dump !== undefined; dump = dumps[0]) {
        const objects = dump.next(maxBytes);
        if (objects.length > 0) return objects;
        dumps.shift()?.close();
      }
      return [];
    };
    return { next, close: () => dumps.splice(0).forEach((dump) => dump.close()) };
  }

  private allGroups(): readonly GroupId[] {
    const { driver, groups } = this.options;
    const held = [...driver.all()].map(({ group }) => group);
    return [...new Set([META_GROUP, ...groups(), ...held])].sort((left, right) => left - right);
  }

  private async name(group: GroupId, command: SnapshotCommand): Promise<void> {
    const { driver, clock, forwarding } = this.options;
    const replica = driver.get(group);
    const bytes = encodeCommand(command, clock.wallMs());
    const outcome =
      replica?.isLeader === true
        ? await replica.propose(bytes, clock.monotonicMs() + PROPOSAL_TIMEOUT_MS)
        : await forwarding.write(group, replica?.leader, bytes, PROPOSAL_TIMEOUT_MS);
    if (outcome.kind === 'rejected') throw new StateError(outcome.code, outcome.detail, outcome.extras);
  }

  private async trimGroup(replica: Replica, through: LogIndex): Promise<void> {
    const { log } = this.options;
    // The snapshot was read from this very state, or from one that came to it: it is not behind. After a repair it
    // may be, and then only what it has applied may go.
    const index = Math.min(through, replica.releasable) as LogIndex;
    await replica.store.flush();
    const floor = log.state(replica.group)?.floorIndex ?? 0;
    if (index > floor && log.term(replica.group, index) !== undefined) log.compact(replica.group, index);
  }

  private held(replica: Replica): HeldGroup {
    const { group, applied, commitSeq } = replica;
    const state = this.options.log.state(group);
    const firstIndex = ((state?.floorIndex ?? 0) + 1) as LogIndex;
    const lastIndex = state?.lastIndex ?? (0 as LogIndex);
    return { group, firstIndex, lastIndex, commit: replica.status().commit, applied, commitSeq };
  }
}
