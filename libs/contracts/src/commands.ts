import type { CommitSeq, GroupId } from './identifiers';
import type { ErrorCode, ErrorExtras } from './errors';
import type { ChangeBatch, Tags } from './changes';

/**
 * Commands go into a group's log; the state machine turns each into an outcome and the changes it made. Every
 * input that is not in the state comes with the command: no clock, no randomness, no id is made while applying.
 */
export type Command = WriteCommand | ExpireCommand | CompactCommand | SnapshotCommand;

/** What must hold of an object's current version before an operation may run. */
export interface Preconditions {
  /** The object's `commit_seq` must be this. */
  readonly ifMatch?: CommitSeq;
  /** The object must not exist. */
  readonly ifNoneMatch?: boolean;
}

export interface PutOperation extends Preconditions {
  readonly op: 'put';
  readonly id: string;
  readonly type: string;
  /** The body as compact JSON text, already checked for depth and exact numbers. */
  readonly bodyJson: string;
  readonly tags: Tags;
  readonly ttlSeconds?: number;
  readonly parents: readonly string[];
}

export interface DeleteOperation extends Preconditions {
  readonly op: 'delete';
  readonly id: string;
}

export type Operation = PutOperation | DeleteOperation;

/** Operations on one namespace: all happen at one position, or none does. */
export interface WriteCommand {
  readonly kind: 'write';
  readonly ns: string;
  readonly operations: readonly Operation[];
}

/** Removes what has expired by the command's time; at most `limit` objects, in order of expiry. */
export interface ExpireCommand {
  readonly kind: 'expire';
  readonly limit: number;
}

/** Forgets history: versions and changes older than the given age or beyond the given number of commits. */
export interface CompactCommand {
  readonly kind: 'compact';
  readonly retentionMs: number;
  readonly retentionCommits: number;
  /** Bound on the rows removed by one command, so that applying it never stalls the loop. */
  readonly limit: number;
}

/**
 * Names a point of the group's log: each replica keeps its state as of here under this name. It changes nothing and
 * takes no position.
 */
export interface SnapshotCommand {
  readonly kind: 'snapshot';
  readonly snapshotId: string;
  /** When it was asked for, in milliseconds since 1970: the same in every group of the snapshot. */
  readonly createdMs: number;
  /** All groups of the snapshot, so that a node knows when it has its part of each that it holds. */
  readonly groups: readonly GroupId[];
}

/** What one operation answered. */
export type OperationResult =
  /** `json` is the whole object as a GET answers it; shared, never written to. */
  { readonly kind: 'object'; readonly json: Uint8Array } | { readonly kind: 'deleted' };

/** What a command came to. A rejected command changed nothing and took no position. */
export type CommandOutcome =
  | { readonly kind: 'done'; readonly commitSeq: CommitSeq; readonly results: readonly OperationResult[] }
  | {
      readonly kind: 'rejected';
      readonly code: ErrorCode;
      readonly detail: string;
      readonly extras?: ErrorExtras;
    };

/** What applying one entry gives to the host. */
export interface Applied {
  readonly outcome: CommandOutcome;
  readonly changes: readonly ChangeBatch[];
  /** The entry names the state as it is right after it. */
  readonly snapshot?: SnapshotCommand;
}
