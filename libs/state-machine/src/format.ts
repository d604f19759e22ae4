/** Version of the rows of FORMAT.md. Stored in the counters row; a state of a newer one is refused. */
export const STATE_FORMAT_VERSION = 1;

/** First byte of every key; FORMAT.md, "Tables". */
export const Table = {
  counters: 0x01,
  namespaces: 0x02,
  namespaceNames: 0x03,
  tenancies: 0x04,
  heads: 0x10,
  versions: 0x11,
  changes: 0x12,
  commits: 0x13,
  typeIndex: 0x20,
  tagIndex: 0x21,
  fieldIndex: 0x22,
  expiryIndex: 0x23,
  fieldIndexes: 0x24,
  leases: 0x30,
  keptAnswers: 0x31,
  keptOrder: 0x32,
  keptTotals: 0x33,
} as const;

/**
 * Tables whose keys go on with the namespace's number: all that a namespace has, but for the commits and expiry rows,
 * which follow from its changes, and from what ends by itself. A new table belongs here, or moving a namespace leaves its rows behind.
 */
export const NAMESPACE_TABLES = [
  Table.heads,
  Table.versions,
  Table.changes,
  Table.typeIndex,
  Table.tagIndex,
  Table.fieldIndex,
  Table.fieldIndexes,
  Table.leases,
  // Before the answers that its timer speaks of: an erasure goes in this order.
  Table.keptTotals,
  Table.keptAnswers,
  Table.keptOrder,
] as const;

/** What an expiry row speaks of. */
export const ExpiryKind = { object: 1, lease: 2, keptAnswers: 3 } as const;
export type ExpiryKind = (typeof ExpiryKind)[keyof typeof ExpiryKind];

/** First byte of a change row and of a version row. */
export const ChangeKind = { put: 1, deleted: 2, expired: 3 } as const;

/** Value of rows whose key says it all. */
export const NO_VALUE = new Uint8Array(0);

/** A state written by a newer program: this one must not touch it. */
export class UnknownStateFormat extends Error {
  constructor(readonly version: number) {
    super(`state of format ${version}; this program knows up to ${STATE_FORMAT_VERSION}`);
    this.name = 'UnknownStateFormat';
  }
}
