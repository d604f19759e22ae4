import type { CommitSeq } from './identifiers';
import type { ErrorCode, ErrorExtras } from './errors';
import type { Tags } from './changes';
import type { Lease } from './commands';

/** What can be asked of a replica's state. Plain data: it crosses threads and peer links as it is. */
export type ReadRequest =
  | { readonly kind: 'get'; readonly ns: string; readonly id: string }
  | { readonly kind: 'lease'; readonly ns: string; readonly key: string }
  | {
      readonly kind: 'list';
      readonly ns: string;
      readonly prefix?: string;
      readonly limit: number;
      readonly cursor?: string;
    }
  | QueryRequest;

export interface QueryRequest {
  readonly kind: 'query';
  readonly ns: string;
  readonly tags?: Tags;
  readonly type?: string;
  readonly prefix?: string;
  /** Top-level keys of `body` to keep; all when absent. */
  readonly fields?: readonly string[];
  readonly order: 'id' | 'commit_seq' | '-commit_seq';
  readonly limit: number;
  readonly cursor?: string;
}

export type ReadOutcome =
  | { readonly kind: 'object'; readonly json: Uint8Array; readonly commitSeq: CommitSeq }
  | { readonly kind: 'absent' }
  | { readonly kind: 'lease'; readonly lease: Lease }
  /** Objects as JSON, in order; `nextCursor` when more may follow. */
  | { readonly kind: 'page'; readonly objects: readonly Uint8Array[]; readonly nextCursor?: string }
  | {
      readonly kind: 'rejected';
      readonly code: ErrorCode;
      readonly detail: string;
      readonly extras?: ErrorExtras;
    };

/** A live object as a scan of the state finds it. */
export interface ScannedObject {
  readonly id: string;
  readonly commitSeq: CommitSeq;
  readonly tsMs: number;
  /** The object's JSON as a GET answers it; shared, never written to. */
  readonly json: Uint8Array;
}
