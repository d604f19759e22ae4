import type { CommitSeq, GroupId, LogIndex } from '#contracts';
import type { LogSegment } from '../ports';
import type { SnapshotRecord } from './archive';

/** What a node holds on its disk. */
export interface NodeManifest {
  readonly clusterId: string;
  readonly segments: readonly LogSegment[];
  readonly groups: readonly HeldGroup[];
  readonly snapshots: readonly SnapshotRecord[];
  readonly bytes: { readonly wal: number; readonly state: number; readonly snapshots: number };
}

export interface HeldGroup {
  readonly group: GroupId;
  /** The entries that the log has of it: from the first to the last, none when the last is before the first. */
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly commitSeq: CommitSeq;
}

/** The live objects at one point, streamed: each call gives some of them, and none at the end. */
export interface DumpStream {
  /** JSON of objects as a GET answers it, at most about `maxBytes` and at least one. */
  next(maxBytes: number): readonly Uint8Array[];
  /** Must be called in the end. */
  close(): void;
}

/** What an operator may ask about snapshots through any node. */
export interface SnapshotOperations {
  /**
   * Names the state of every group as it is now; resolves once this node has its part of it on disk, with the parts
   * of groups that are on other nodes alone beside them. Rejects with `no_leader`, `overloaded`, `storage_full`,
   * `not_ready` (it failed) or `timeout` (it may still come to be).
   */
  take(): Promise<SnapshotRecord>;
  /**
   * Lets go of this node's log as far as the snapshot holds it and RocksDB has it, and resolves with the segments
   * that are gone. Rejects with `not_found`, or with `conflict` for one that is of another log.
   */
  trim(snapshotId: string): Promise<readonly LogSegment[]>;
  manifest(): Promise<NodeManifest>;
  /**
   * The live objects of a namespace, or of all that this node holds, as of one linearizable point in each group.
   * Rejects with `not_ready` when this node does not hold the namespace, `no_leader` or `timeout`.
   */
  dump(ns?: string): Promise<DumpStream>;
}
