import type { CommitSeq, GroupId } from './identifiers';
import type { ErrorCode, ErrorExtras } from './errors';
import type { ChangeBatch, Tags } from './changes';

/**
 * Commands go into a group's log; the state machine turns each into an outcome and the changes it made. Every
 * input that is not in the state comes with the command: no clock, no randomness, no id is made while applying.
 */
export type Command =
  | WriteCommand
  | LeaseCommand
  | ExpireCommand
  | CompactCommand
  | SnapshotCommand
  | TenancyCommand
  | ImportCommand
  | EraseCommand
  | IndexesCommand
  | BuildCommand;

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

/** Changes the current version of an object, as it is when the command is applied. */
export interface PatchOperation extends Preconditions {
  readonly op: 'patch';
  readonly id: string;
  /** JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902), over `{type, body, tags, ttl_seconds}`. */
  readonly format: 'merge' | 'json';
  /** The patch as compact JSON text, already checked for its form. */
  readonly patchJson: string;
  /** The result's type, body and tags together may have this many bytes: what the proposer's node takes in a request. */
  readonly limitBytes: number;
}

/** Changes nothing: without conditions of its own it asks that the object exists. */
export interface CheckOperation extends Preconditions {
  readonly op: 'check';
  readonly id: string;
}

export type Operation = PutOperation | PatchOperation | DeleteOperation | CheckOperation;

/** Lets a write happen only while a lease is held under this token. */
export interface Fence {
  readonly key: string;
  readonly token: number;
}

/** Makes a command happen at most once, however often it is sent. */
export interface IdempotencyKey {
  readonly key: string;
  /** A digest of what was asked for: the same key with another one is refused. At most 64 characters. */
  readonly fingerprint: string;
}

/** Operations on one namespace: all happen at one position, or none does. */
export interface WriteCommand {
  readonly kind: 'write';
  readonly ns: string;
  readonly operations: readonly Operation[];
  readonly fence?: Fence;
  readonly idempotency?: IdempotencyKey;
}

/** Takes, prolongs or gives up a lease of a namespace. */
export interface LeaseCommand {
  readonly kind: 'lease';
  readonly ns: string;
  readonly action: 'acquire' | 'renew' | 'release';
  readonly key: string;
  readonly owner: string;
  /** On renew and release: the token under which the lease is held. */
  readonly token?: number;
  /** On acquire and renew: how long the lease is held from the command's time on. */
  readonly ttlMs?: number;
  readonly idempotency?: IdempotencyKey;
}

/** A command of a client: it names the namespace that it is for. */
export type ClientCommand = WriteCommand | LeaseCommand;

/** A lease that is held. */
export interface Lease {
  readonly key: string;
  readonly owner: string;
  /** The fencing number: a later holder of the same lease has a higher one. */
  readonly token: number;
  readonly expiresAtMs: number;
}

/** Removes what has expired by the command's time; at most `limit` things, in order of expiry. */
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
  /** The first row to go; without it the first that there is. What came before has been erased already. */
  readonly from?: RowPlace;
}

/** A row of a namespace, by its table and by what follows the namespace's number in its key. */
export interface RowPlace {
  readonly table: number;
  readonly rest: Uint8Array;
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

/**
 * Says which places of its objects' bodies a namespace has indexes of. Those it has already stay as they are; new ones
 * are built, and others are taken away, by {@link BuildCommand}s. Rejected where the namespace is not served.
 */
export interface IndexesCommand {
  readonly kind: 'indexes';
  readonly ns: string;
  /** Singular JSONPaths, no two of which lead to the same place. */
  readonly paths: readonly string[];
}

/**
 * Goes on with building a namespace's new indexes, and with removing old ones: at most `limit` rows or objects, and
 * about `limitBytes` of objects but at least one, so that applying it never stalls the loop.
 */
export interface BuildCommand {
  readonly kind: 'build';
  readonly ns: string;
  readonly limit: number;
  readonly limitBytes: number;
}

/** What one operation answered. */
export type OperationResult =
  /** `json` is the whole object as a GET answers it; shared, never written to. */
  | { readonly kind: 'object'; readonly json: Uint8Array }
  | { readonly kind: 'deleted' }
  /** A check held; `commitSeq` is the object's version, 0 if there is none. */
  | { readonly kind: 'checked'; readonly commitSeq: CommitSeq }
  | { readonly kind: 'lease'; readonly lease: Lease };

/** What a command came to. A rejected command changed nothing and took no position. */
export type CommandOutcome =
  | {
      readonly kind: 'done';
      readonly commitSeq: CommitSeq;
      readonly results: readonly OperationResult[];
      /** The command had been applied before under the same idempotency key: this is its first answer. */
      readonly replayed?: true;
    }
  | {
      readonly kind: 'rejected';
      readonly code: ErrorCode;
      readonly detail: string;
      readonly extras?: ErrorExtras;
      readonly replayed?: true;
    };

/** What applying one entry gives to the host. */
export interface Applied {
  readonly outcome: CommandOutcome;
  readonly changes: readonly ChangeBatch[];
  /** The entry names the state as it is right after it. */
  readonly snapshot?: SnapshotCommand;
}
