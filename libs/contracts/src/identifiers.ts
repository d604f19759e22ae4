/**
 * The branded identifiers of the system. A brand costs nothing at run time and keeps a term from being passed
 * where an index is meant.
 */
declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A Raft term: a whole number from 0 (none yet) to below 2^53. */
export type Term = Branded<number, 'Term'>;
/** A position in one group's Raft log: 0 means "before the first entry"; below 2^53. */
export type LogIndex = Branded<number, 'LogIndex'>;
/** A position in one group's history of committed changes, as clients see it: 1 is the first; below 2^53. */
export type CommitSeq = Branded<number, 'CommitSeq'>;
/** A Raft member: 1 or more, given out once per cluster and never again; 0 means "nobody". */
export type MemberId = Branded<number, 'MemberId'>;
/** A replication group on the wire and in the log: 0 is the meta group; below 2^32. */
export type GroupId = Branded<number, 'GroupId'>;
/** The operator's name of a node, for instance `node-1`. */
export type NodeName = Branded<string, 'NodeName'>;

export const NO_MEMBER = 0 as MemberId;
export const META_GROUP = 0 as GroupId;

export const term = (value: number): Term => checked(value, 'term') as Term;
export const logIndex = (value: number): LogIndex => checked(value, 'log index') as LogIndex;
export const commitSeq = (value: number): CommitSeq => checked(value, 'commit sequence') as CommitSeq;
export const memberId = (value: number): MemberId => checked(value, 'member id') as MemberId;
export const groupId = (value: number): GroupId => {
  if (value > 0xffff_ffff) throw new RangeError(`group id out of range: ${value}`);
  return checked(value, 'group id') as GroupId;
};

/** Numbers past 2^53 would be rounded in silence: that is a programmer's error, never data. */
function checked(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} out of range: ${value}`);
  return value;
}
