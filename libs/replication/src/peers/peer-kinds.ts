/**
 * What a frame between nodes is. The numbers are on the wire (see FORMAT.md); a kind that a node does not know is
 * refused, never guessed.
 */
export const PeerKind = {
  /** One way: Raft messages of any groups, gathered in one turn. */
  raft: 1,
  /** Requests. */
  write: 16,
  read: 17,
  status: 18,
  transfer: 19,
  snapshotChunk: 20,
  /** For watchers on a node that holds no replica: the next changes, and the state page by page. */
  changes: 21,
  /** Who the asked node knows: for one that has lost touch with the meta group. */
  nodes: 22,
  scan: 23,
  /** Rows of a namespace that is being moved to the asking node's group. */
  namespaceRows: 26,
  /** What the asked node has of a group in a named snapshot. */
  snapshotPart: 28,
  /** Requests of nodes that are not members yet. */
  form: 32,
  join: 33,
  /** Of a node that nobody lets in: whether it was removed. */
  standing: 34,
} as const;
export type PeerKind = (typeof PeerKind)[keyof typeof PeerKind];

/** What a node may ask before the cluster knows it, and after it was removed. */
export const KINDS_BEFORE_MEMBERSHIP: readonly number[] = [PeerKind.form, PeerKind.join, PeerKind.standing];
