export * from './ports';
export * from './engine';
export type { FoundingMember, IdentityStore, NodeIdentity } from './identity';
export type { PlacementBug } from './moves/planted-bug';
export { NO_PEERS } from './no-peers';
export { DEFAULT_GROUP } from './default-group';
export { Node } from './node';
export type { NodeObserver, NodeOptions } from './node-options';
export type { SnapshotPolicy } from './named-snapshots/node-snapshots';
export type { ReplicaStatus } from './node-status';
export type { ClusterView, GroupView } from './cluster-admin';
export {
  Formation,
  KnownUnderAnotherDisk,
  join,
  type ConfiguredNode,
  type FormationOptions,
  type Introductions,
} from './formation';
export { KINDS_BEFORE_MEMBERSHIP, PeerKind } from './peers/peer-kinds';
export type { BusTopic, WatchBus } from './watch-bus';
export { RegionChanged } from './meta/region-change';
export { StateCorruption } from './state-corruption';
export { UncertainInstall } from './uncertain-install';
export { readRaftFrame } from './peers/raft-frame';
export { NO_SETTINGS, type NamespaceSettings, type NodeDocument } from './meta/documents';
export type { PartWriter, SnapshotArchive, SnapshotPart, SnapshotRecord } from './named-snapshots/archive';
export type {
  DumpStream,
  HeldGroup,
  NodeManifest,
  SnapshotOperations,
} from './named-snapshots/snapshot-operations';
export { beginAlone, takeOverMeta, type RestoredGroup, type RestoredSelf } from './restore/begin-alone';
export { beginState } from './bootstrap';
export { groupsOf, isOnlyNode } from './restore/written-down';
export { OverlaidStore } from './restore/overlaid-store';
export { rollForward, type RolledState, type RollTarget } from './restore/roll-forward';
export type { NodeTuning } from './node-tuning';
