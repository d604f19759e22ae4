import type { CommitSeq } from './identifiers';
import type { ErrorCode, ErrorExtras } from './errors';
import type { Tags } from './changes';
import type { Lease } from './commands';

/** What can be asked of a replica's state. Plain data: it crosses threads and peer links as it is. */
export type ReadRequest =
  | { readonly kind: 'get'; readonly ns: string; readonly id: string; readonly at?: PastMoment }
  | { readonly kind: 'lease'; readonly ns: string; readonly key: string }
  /** Which indexes of places in bodies a namespace has. */
  | { readonly kind: 'indexes'; readonly ns: string }
  | {
      readonly kind: 'list';
      readonly ns: string;
      readonly prefix?: string;
      readonly limit: number;
      readonly cursor?: string;
    }
  | {
      readonly kind: 'history';
      readonly ns: string;
      readonly id: string;
      readonly limit: number;
      readonly cursor?: string;
    }
  | QueryRequest
  | { readonly kind: 'explain'; readonly ns: string; readonly query: QueryRequest };

/** A position, or a time in milliseconds since 1970: the state as it was after all changes up to it. */
export type PastMoment = { readonly seq: number } | { readonly timeMs: number };

export type WhereOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'exists';

/** What must hold of one place of a body. */
export interface WhereCondition {
  /** The JSONPath as it was written, and the steps that it stands for. */
  readonly text: string;
  readonly path: readonly (string | number)[];
  readonly operator: WhereOperator;
  readonly value: unknown;
}

/** How a query is answered. */
export interface QueryPlan {
  /** What is gone through: `objects`, `changes`, `type`, `tag <key>`, or `field <path>`. */
  readonly index: string;
  /** Rows of it that the query may have to read, counted up to a bound. */
  readonly rowsExpected: number;
  /** Paths whose conditions the index does not decide: they are compared in each object read. */
  readonly comparedPaths: readonly string[];
  /** Those of them that have an index which is not complete yet, and so is not used. */
  readonly buildingPaths: readonly string[];
  /** Whether the query is answered without `allow_scan`. */
  readonly isAllowed: boolean;
  /** Of the first page, when it is read now: of the index, not counting a look at others to choose between them. */
  readonly rowsRead: number;
  readonly rowsReturned: number;
}

export interface QueryRequest {
  readonly kind: 'query';
  readonly ns: string;
  readonly tags?: Tags;
  readonly type?: string;
  readonly prefix?: string;
  readonly where?: readonly WhereCondition[];
  /** Whether the query may go through more objects than it would without being asked. */
  readonly allowScan?: boolean;
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
  /** Paths as they were given. Those in `building` are kept up but not used yet. */
  | { readonly kind: 'indexes'; readonly ready: readonly string[]; readonly building: readonly string[] }
  | { readonly kind: 'plan'; readonly plan: QueryPlan }
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
