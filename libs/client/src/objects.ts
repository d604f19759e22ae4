/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One version of an object, as the server stores it. Names are those of the wire. */
export interface StoredObject<Body = unknown> {
  /** Unique within its namespace. */
  readonly id: string;
  /** Its namespace. */
  readonly ns: string;
  /** What kind of object it is; `object` unless it was said. */
  readonly type: string;
  /** Any JSON value. */
  readonly body: Body;
  /** What it can be found by. */
  readonly tags: Readonly<Record<string, string>>;
  /** Seconds; absent for an object that stays. */
  readonly ttl_seconds?: number;
  /** RFC 3339; absent for an object that stays. */
  readonly expires_at?: string;
  /** The digests of the versions that it comes from. */
  readonly parents: readonly string[];
  /** A digest of the content and the parents. */
  readonly commit: string;
  /** The version: strictly increasing within a namespace, never used twice. */
  readonly commit_seq: number;
  /** The version in which the object came to be. */
  readonly created_seq: number;
  /** When the version was committed, RFC 3339. */
  readonly ts: string;
}

/** What is stored: it replaces the object of that id whole. Without an id the server makes one. */
export interface PutObject<Body = unknown> {
  /** 1 to 512 bytes of UTF-8. */
  readonly id?: string;
  /** Default `object`. */
  readonly type?: string;
  /** Any JSON value; default `null`. */
  readonly body?: Body;
  /** At most 64; default none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Seconds until it expires; without them it stays. */
  readonly ttl_seconds?: number;
  /** The digests (`commit`) of the versions that it comes from. */
  readonly parents?: readonly string[];
}

/** A deletion in an object's history. */
export interface DeletedVersion {
  /** Tells it apart from a stored version. */
  readonly deleted: true;
  /** The object that is gone. */
  readonly id: string;
  /** The position of the deletion. */
  readonly commit_seq: number;
  /** When it was committed, RFC 3339. */
  readonly ts: string;
  /** `delete` or `expired`. */
  readonly reason?: string;
}

/** One step of an object's history: a stored version, or its deletion. */
export type Version<Body = unknown> = (StoredObject<Body> & { readonly deleted?: false }) | DeletedVersion;

/** A deletion that was carried out. */
export interface Deleted {
  /** The position of the deletion. */
  readonly commit_seq: number;
}

/** One step of a JSON patch (RFC 6902) over `{type, body, tags, ttl_seconds}`. */
export type JsonPatchStep =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** A merge patch (RFC 7396), in which `null` removes a member; an array is a JSON patch (RFC 6902). */
export interface MergePatch {
  /** Another type. */
  readonly type?: string;
  /** What to merge into the body. */
  readonly body?: unknown;
  /** What to merge into the tags. */
  readonly tags?: Readonly<Record<string, string | null>> | null;
  /** Seconds from now until it expires; `null` for an object that stays. */
  readonly ttl_seconds?: number | null;
}
/** A {@link MergePatch}, or, as an array, a JSON patch. */
export type Patch = MergePatch | readonly JsonPatchStep[];

/** Conditions of a query's `where` on one path: a value, or an operator with one. */
export type Condition =
  | string
  | number
  | boolean
  | null
  | {
      readonly eq?: unknown;
      readonly ne?: unknown;
      readonly gt?: number | string;
      readonly gte?: number | string;
      readonly lt?: number | string;
      readonly lte?: number | string;
      readonly in?: readonly unknown[];
      readonly exists?: boolean;
    };

/** What a query asks for; all given conditions must hold. */
export interface Query {
  /** Tags that an object must have, with these values. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The type that an object must have. */
  readonly type?: string;
  /** Beginning of the ids. */
  readonly prefix?: string;
  /** From a JSONPath such as `$.status` in the body to what must stand there. */
  readonly where?: Readonly<Record<string, Condition>>;
  /** Top-level keys of `body` to keep; the others are left out of the answers. */
  readonly fields?: readonly string[];
  /** Default `id`. */
  readonly order?: 'id' | 'commit_seq' | '-commit_seq';
}

/** On which an operation of a batch depends. */
export interface BatchCondition {
  /** The version that must be there. */
  readonly if_match?: number;
  /** `*`: no object of that id may be there. */
  readonly if_none_match?: '*';
}

/** One operation of a batch. */
export type BatchOperation =
  | ({ readonly op: 'put' } & PutObject & BatchCondition)
  | ({ readonly op: 'patch'; readonly id: string; readonly patch: Patch } & BatchCondition)
  | ({ readonly op: 'delete'; readonly id: string } & BatchCondition)
  | ({ readonly op: 'check'; readonly id: string } & BatchCondition);

/** What became of a batch: all of it happened, at one position. */
export interface BatchResult {
  /** The position at which all of it happened. */
  readonly commit_seq: number;
  /** In the order of the operations. */
  readonly results: readonly unknown[];
}
