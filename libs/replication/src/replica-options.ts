import type { ChangeBatch, ErrorCode, GroupId, MemberId, SnapshotCommand, Term } from '#contracts';
import type { RaftConfig } from '#raft';
import type { StateBug } from '#state-machine';
import type { LogStore, Random, StateStore } from './ports';
import type { Replica } from './replica';

/** Bounds on what one replica holds in memory for its clients; past them it answers `overloaded`. */
export interface ReplicaLimits {
  readonly maxPendingProposals: number;
  readonly maxPendingReads: number;
  /** Rows kept in memory for point reads, in bytes. */
  readonly rowCacheBytes: number;
}

export interface ReplicaOptions {
  readonly group: GroupId;
  readonly member: MemberId;
  readonly log: LogStore;
  readonly store: StateStore;
  readonly random: Random;
  readonly raft: Omit<RaftConfig, 'id' | 'random'>;
  readonly limits: ReplicaLimits;
  readonly digest: (bytes: Uint8Array) => string;
  /** @internal See `NodeOptions`. */
  readonly stateBug?: StateBug;
  /** Called after the changes can be read from the state, in order. */
  readonly onChanges: (group: GroupId, changes: readonly ChangeBatch[]) => void;
  /** The replica has work for the next turn. */
  readonly onWork: (replica: Replica) => void;
  readonly onLeader: (group: GroupId, leader: MemberId, term: Term) => void;
  /** Namespaces were moved in or away, or are about to be. */
  readonly onTenants: (replica: Replica) => void;
  /** The state stands at an entry that names it, until this returns. */
  readonly onSnapshot: (replica: Replica, command: SnapshotCommand) => void;
  /** A proposal was refused or given up. */
  readonly onProposalFailed: (group: GroupId, reason: ErrorCode) => void;
}
