/**
 * Every limit that a client can meet, in one place. What an operator may change is a default here and a variable
 * in the server's configuration; the rest is fixed, because stored keys and other nodes rely on it.
 */
export const LIMITS = {
  /** Length of a namespace in characters (all of them ASCII). */
  namespaceCharacters: 255,
  /** Length of an object id in bytes of UTF-8. */
  idBytes: 512,
  /** Number of tags on one object. */
  tags: 64,
  /** Length of a tag's key, and of its value, in bytes of UTF-8. */
  tagBytes: 256,
  /** Length of an object's type in bytes of UTF-8. */
  typeBytes: 256,
  /** Number of parents an object may name, and the length of each in characters. */
  parents: 64,
  parentCharacters: 128,
  /** Default bound on a whole request's body (`MAX_BODY_BYTES`). */
  bodyBytes: 1_048_576,
  /** How deep arrays and objects may nest in a request's JSON. Deeper input is refused, never truncated. */
  jsonDepth: 256,
  /** Longest time to live of an object, in seconds: 100 years. */
  ttlSeconds: 3_155_760_000,
  /** Operations in one batch. */
  batchOperations: 128,
  /** Operations in one JSON Patch. */
  patchOperations: 1_000,
  /** Rows in one page of list, query and history. */
  pageRows: 1_000,
  pageRowsDefault: 100,
  /** A page ends early, with a cursor, once it holds this many bytes. */
  pageBytes: 4_194_304,
  /** Conditions in a query's `where`, and values in one `in`. */
  whereConditions: 32,
  whereValues: 128,
  /** Objects that a query with `where` may go through without `allow_scan`. */
  scanObjects: 10_000,
  /** Places in bodies that one namespace has indexes of, and the length of each one's path in characters. */
  fieldIndexes: 16,
  fieldIndexPathCharacters: 256,
  /** Length of a query's `fields` list. */
  queryFields: 64,
  /** Length of an idempotency key in characters. */
  idempotencyKeyCharacters: 255,
  /** How long the first answer to an idempotency key is kept: 24 hours. */
  idempotencyMs: 86_400_000,
  /** Answers kept in one namespace, and their bytes with their keys. Beyond either the oldest goes early. */
  idempotencyKeys: 1_000_000,
  idempotencyBytes: 268_435_456,
  /** Length of a lease's owner in bytes of UTF-8 (its key is an id). */
  leaseOwnerBytes: 256,
  /** Shortest and longest lease in seconds: from 1 s to one day. */
  leaseMinSeconds: 1,
  leaseMaxSeconds: 86_400,
  /** Most voters of a placement, and most non-voting replicas in one region. */
  placementReplicas: 9,
  /** Regions that one placement may name. */
  placementRegions: 64,
} as const;

/** `[A-Za-z0-9][A-Za-z0-9._:/~-]*`, at most {@link LIMITS.namespaceCharacters}. */
export const NAMESPACE_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/~-]{0,254}$/;
/** Namespaces of the system itself: clients cannot write there. */
export const RESERVED_NAMESPACE_PREFIX = 'admin://';
/** The namespace that a token must name for operation `ADMIN`. */
export const ADMIN_NAMESPACE = 'admin://global';
