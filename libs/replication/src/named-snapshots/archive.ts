import type { CommitSeq, GroupId, LogIndex, MemberId, NodeName, Term } from '#contracts';
import type { StatePiece } from '#state-machine';

/** One group's state as a named snapshot holds it. */
export interface SnapshotPart {
  readonly group: GroupId;
  /** The entry that named the state, which is as of right after it. */
  readonly index: LogIndex;
  readonly term: Term;
  /** Position of the newest change in it. */
  readonly commitSeq: CommitSeq;
  readonly rows: number;
  /** Of its file. */
  readonly bytes: number;
  /** Over all of its rows: the same on every replica. */
  readonly digest: string;
}

/** A named snapshot as this node has it: a part for each group that it held. */
export interface SnapshotRecord {
  readonly snapshotId: string;
  readonly createdMs: number;
  /** Positions and log indexes in it are those of this cluster; a restored node is another one. */
  readonly clusterId: string;
  readonly node: { readonly member: MemberId; readonly name: NodeName; readonly region: string };
  readonly parts: readonly SnapshotPart[];
}

/** Writes one part into files of its own, which nothing names yet. */
export interface PartWriter {
  /** Takes the next piece; resolves when there is room for another. */
  write(piece: StatePiece): Promise<void>;
  /** Resolves when all of it is synced. */
  finish(part: Omit<SnapshotPart, 'bytes'>): Promise<SnapshotPart>;
}

/**
 * The named snapshots on this node's disk. What is not published does not exist, whatever a crash left of it.
 * A rejected promise leaves what was there.
 */
export interface SnapshotArchive {
  /** Oldest first. */
  records(): readonly SnapshotRecord[];
  /** One writer at a time for each group of a snapshot. */
  begin(snapshotId: string, group: GroupId): PartWriter;
  /** Resolves once the snapshot, all of whose parts are finished, is there for good. */
  publish(record: SnapshotRecord): Promise<void>;
  /** Removes what was written of a snapshot that is not published. */
  discard(snapshotId: string): Promise<void>;
  /** Removes the parts that are not to be kept; resolves when neither a name nor their bytes are left. */
  retain(keep: (record: SnapshotRecord, part: SnapshotPart) => boolean): Promise<void>;
  /** Of all files. */
  bytes(): number;
}
