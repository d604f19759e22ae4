import type { GroupId, MemberId } from '#contracts';
import type { ClusterAdmin } from './cluster-admin';
import { DEFAULT_GROUP } from './default-group';
import type { Driver } from './driver';
import { Scrubber } from './erasure/scrubber';
import type { Forwarding } from './forwarding';
import { Housekeeping } from './housekeeping';
import { FieldIndexing } from './indexes/field-indexing';
import { ClusterKeeper } from './meta/cluster-keeper';
import type { Directory } from './meta/directory';
import { LostNodes } from './meta/lost-nodes';
import type { MetaWriter } from './meta/meta-writer';
import { NodeSnapshots } from './named-snapshots/node-snapshots';
import type { NodeOptions } from './node-options';
import type { NodeTuning } from './node-tuning';
import type { ReplicaHost } from './replica-host';
import type { Replica } from './replica';
import { SnapshotReceiver } from './snapshots/snapshot-receiver';
import type { Placements } from './placements';

/** What the parts of a node that are made here need of the others. */
export interface NodeParts {
  readonly driver: Driver;
  readonly directory: Directory;
  readonly writer: MetaWriter;
  readonly admin: ClusterAdmin;
  readonly placements: Placements;
}

export function keeperOf(
  { identity, network, clock, defaultReplicas, observer }: NodeOptions,
  { nodeLostMs, balanceMs }: NodeTuning,
  { driver, directory, writer, admin, placements }: NodeParts,
): ClusterKeeper {
  return new ClusterKeeper({
    driver,
    directory,
    writer,
    founders: identity.founders,
    defaultGroup: DEFAULT_GROUP,
    defaultReplicas,
    gather: () => admin.gather(),
    ask: (member) => admin.ask(member),
    lost: new LostNodes({ member: identity.member, directory, network, clock, graceMs: nodeLostMs }),
    clock,
    balanceMs,
    handOver: (handover) => admin.askToHandOver(handover),
    placeAnew: (ns) => placements.admin(writer, () => admin.gather()).placeAnew(ns),
    onError: (error) => observer.warning('keeping the cluster', error),
  });
}

export function snapshotsOf(
  options: NodeOptions,
  parts: NodeParts & {
    readonly forwarding: Forwarding;
    readonly holders: (group: GroupId) => readonly MemberId[];
  },
): NodeSnapshots {
  const { snapshots: archive, snapshotPolicy: policy, observer } = options;
  const { driver, directory, writer, placements, forwarding, holders } = parts;
  return new NodeSnapshots({
    ...options,
    archive,
    policy,
    driver,
    region: options.address.region,
    routing: placements.routes,
    forwarding,
    groups: () => directory.groups.keys(),
    holders,
    nameOf: (member) => directory.nodes.get(member)?.name ?? `member ${member}`,
    leadsMeta: () => writer.leads,
    observer: {
      taken: (result, seconds) => observer.snapshotTaken?.(result, seconds),
      mismatch: (what) => observer.statesDiffer?.(what),
      logHeld: (isHeld) => observer.logHeld?.(isHeld),
      warning: (what, error) => observer.warning(what, error),
    },
  });
}

export function housekeepingOf(
  options: NodeOptions,
  tuning: NodeTuning,
  {
    driver,
    directory,
    writer,
    snapshots,
    onRound,
  }: Pick<NodeParts, 'driver' | 'directory' | 'writer'> & {
    readonly snapshots: NodeSnapshots;
    readonly onRound: () => void;
  },
): Housekeeping {
  const { log, clock, historyRetentionMs, historyRetentionCommits, observer } = options;
  return new Housekeeping({
    ...tuning,
    ...{ driver, log, plantedBug: options.plantedBug },
    indexing: new FieldIndexing({
      directory,
      rowsPerStep: tuning.indexRowsPerStep,
      refreshed: () => writer.refreshed(),
    }),
    clock,
    intervalMs: tuning.housekeepingMs,
    retentionOf: (group) => {
      const { seconds, commits } = directory.groups.get(group)?.retention ?? {};
      const retentionMs = seconds === undefined ? historyRetentionMs : seconds * 1_000;
      return { retentionMs, retentionCommits: commits ?? historyRetentionCommits };
    },
    trimmableTo: (group) => snapshots.trimmableTo(group),
    onRound,
    onError: (error) => observer.warning('housekeeping', error),
  });
}

export function scrubberOf(
  { stores, log, clock, observer, onFatal }: NodeOptions,
  parts: Pick<NodeParts, 'driver' | 'directory'> & {
    readonly snapshots: NodeSnapshots;
    readonly building: Set<GroupId>;
    readonly host: ReplicaHost;
  },
): Scrubber {
  const { driver, directory, snapshots, building, host } = parts;
  return new Scrubber({
    ...{ driver, directory, stores, log, clock, building },
    isGivingUp: () => host.isGivingUp,
    forgetSnapshots: (group, before) => snapshots.forgetBefore(group, before),
    onWarning: (what, error) => observer.warning(what, error),
    onFatal,
  });
}

export function receiverOf(
  { network, stores, clock, digest, observer, onFatal }: NodeOptions,
  tuning: NodeTuning,
  { driver, building }: Pick<NodeParts, 'driver'> & { readonly building: Set<GroupId> },
  onInstalled: (replica: Replica) => void,
): SnapshotReceiver {
  return new SnapshotReceiver({
    ...{ network, stores, building, clock, digest, onInstalled, onFatal },
    step: (replica, message) => driver.step(replica, message),
    chunkTimeoutMs: tuning.snapshotChunkTimeoutMs,
    attempts: tuning.snapshotChunkAttempts,
    onWarning: (what, error) => observer.warning(what, error),
  });
}
