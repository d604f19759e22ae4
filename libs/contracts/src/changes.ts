import type { CommitSeq } from './identifiers';

/** Tags of an object: both sides strings. Always a null-prototype or parsed object: keys may be `__proto__`. */
export type Tags = Readonly<Record<string, string>>;

/** One committed change of one object, as watchers see it. */
export interface ChangeEvent {
  readonly kind: 'put' | 'delete';
  /** Why an object went, on `delete` only. */
  readonly reason?: 'delete' | 'expired' | undefined;
  readonly id: string;
  /** Type and tags that filters compare: of the new version on `put`, of the last one on `delete`. */
  readonly type: string;
  readonly tags: Tags;
  /** The object's JSON as it is answered to a GET, on `put` only. Shared, never written to. */
  readonly object?: Uint8Array | undefined;
}

/** All changes of one command in one namespace: they share a position and are delivered whole or not at all. */
export interface ChangeBatch {
  readonly ns: string;
  readonly commitSeq: CommitSeq;
  /** The position of the namespace's change before this one (0: none); what gap detection compares. */
  readonly prevCommitSeq: CommitSeq;
  /** Milliseconds since 1970 by the leader's clock when it proposed; never goes back within a group. */
  readonly tsMs: number;
  readonly events: readonly ChangeEvent[];
}
