import type { CommitSeq } from './identifiers';
import type { ErrorCode, ErrorExtras } from './errors';
import type { ChangeBatch, Tags } from './changes';

/**
 * Commands go into a group's log; the state machine turns each into an outcome and the changes it made. Every
 * input that is not in the state comes with the command: no clock, no randomness, no id is made while applying.
 */
export type Command =
  WriteCommand | ExpireCommand | CompactCommand | TenancyCommand | ImportCommand | EraseCommand;

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
 * What a group knows of a namespace that was placed: `here` is served; `frozen` is read and not written, because it is
 * being moved away; `away` is served elsewhere; `loading` is being moved in, and not served yet.
 */
export const TENANCY_STATES = ['away', 'frozen', 'here', 'loading'] as const;
export type TenancyState = (typeof TENANCY_STATES)[number];

/** Says what a namespace is to this group from here on in its log. */
export interface TenancyCommand {
  readonly kind: 'tenancy';
  readonly ns: string;
  /** Grows with each change of the namespace's placement; a command of an older one is rejected. */
  readonly generation: number;
  readonly state: TenancyState;
  /** Positions given out from now on are above this one: those of the group that the namespace came from. */
  readonly seqFloor: CommitSeq;
}

/** Rows of a namespace that is being moved in, as the state machine of the group it comes from gave them. */
export interface ImportCommand {
  readonly kind: 'import';
  readonly ns: string;
  readonly generation: number;
  readonly rows: Uint8Array;
}

/**
 * Removes rows of a namespace that is not served here, at most about `limit`. Its results hold one deletion while more
 * is left, and nothing when all is gone.
 */
export interface EraseCommand {
  readonly kind: 'erase';
  readonly ns: string;
  readonly limit: number;
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
}
