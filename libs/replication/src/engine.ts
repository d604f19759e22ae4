import type { ClientCommand, CommandOutcome, CommitSeq, GroupId, ReadOutcome, ReadRequest } from '#contracts';
import type { ClusterView } from './cluster-admin';
import type { NodeDocument } from './meta/documents';
import type { SnapshotOperations } from './named-snapshots/snapshot-operations';
import type { WatchHandle, WatchRequest, WatchSink } from '#watch';

/** How fresh a read must be. */
export type Consistency =
  | { readonly kind: 'linearizable' }
  /** From the local replica at once, or once it has applied `minSeq`. */
  | { readonly kind: 'stale'; readonly minSeq?: CommitSeq };

export interface ReadAnswer {
  readonly outcome: ReadOutcome;
  /** Position of the replica that answered. */
  readonly commitSeq: CommitSeq;
}

/** One named check of readiness. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What an operator may ask of the cluster through any node. */
export interface ClusterOperations {
  /** The cluster as this node can see it now; nodes that do not answer within a second count as not alive. */
  view(): Promise<ClusterView>;
  /**
   * Begins the removal of a node by name: it gives up its replicas one safe step at a time, and its member id never
   * comes back. Rejects with `not_found`, `conflict` (the last node) or `no_leader`.
   */
  removeNode(name: string): Promise<NodeDocument>;
  /** Asks a group's leader to hand over to a voter; resolves when it was asked. Rejects with `not_found` or `no_leader`. */
  transferLeader(group: GroupId, name: string): Promise<void>;
}

/** What the server needs of the engine, in plain data, so that it may live in another thread. */
export interface Engine {
  /**
   * Resolves after the command is committed by a quorum, synced to its disks and applied here. Rejects with a
   * `StateError`: `no_leader`, `overloaded`, `storage_full`, `draining` (nothing happened) or `timeout` (unknown).
   */
  write(command: ClientCommand, options: { readonly timeoutMs: number }): Promise<CommandOutcome>;
  /** Rejects with `no_leader`, `timeout` or `draining`. */
  read(
    request: ReadRequest,
    options: { readonly consistency: Consistency; readonly timeoutMs: number },
  ): Promise<ReadAnswer>;
  /**
   * Rejects with `compacted` or `too_many_watchers`, and, when this replica is behind where the watch begins and
   * cannot catch up, with `no_leader` or `timeout`; see {@link WatchSink} for the stream.
   */
  watch(request: WatchRequest, sink: WatchSink): Promise<WatchHandle>;
  readonly cluster: ClusterOperations;
  readonly snapshots: SnapshotOperations;
  readiness(): readonly ReadinessCheck[];
  /** Hands leadership over to others, and goes on answering: what a node does shortly before it stops. */
  handOver(): Promise<void>;
  /** Stops taking writes, ends watches with `draining`, hands leadership over, flushes and closes. */
  stop(): Promise<void>;
}
