import type { CommitSeq, GroupId } from './identifiers';
import type { ErrorCode, ErrorExtras } from './errors';
import type { ChangeBatch, Tags } from './changes';

/**
 * Commands go into a group's log; the state machine turns each into an outcome and the changes it made. Every
 * input that is not in the state comes with the command: no clock, no randomness, no id is made while applying.
 */
export type Command = WriteCommand | LeaseCommand | ExpireCommand | CompactCommand | SnapshotCommand;

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
