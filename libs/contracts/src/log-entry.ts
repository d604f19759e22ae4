import type { LogIndex, MemberId, Term } from './identifiers';

/** What an entry is for. The numbers are on disk and on the wire. */
export const EntryKind = { normal: 0, confChange: 1 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/**
 * One entry of a group's log. `data` is encoded once by the proposer and never written to again: the same bytes
 * go to disk, to the peers and to apply. Empty data on a normal entry is a new leader's first entry.
 */
export interface LogEntry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** What a member must have synced before it answers for it (Raft dissertation, figure 3.1). */
export interface HardState {
  readonly term: Term;
  /** Whom this member voted for in `term`; `NO_MEMBER` if nobody. */
  readonly vote: MemberId;
  /** Known committed index; may lag, is only a hint after a restart. */
  readonly commit: LogIndex;
}
