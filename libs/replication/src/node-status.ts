import type { CommitSeq, GroupId, LogIndex, MemberId, Term } from '#contracts';
import type { ConfState, Role } from '#raft';
import type { Replica } from './replica';

/** A replica in numbers. */
export interface ReplicaStatus {
  readonly group: GroupId;
  readonly role: Role;
  readonly leader: MemberId;
  readonly term: Term;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly commitSeq: CommitSeq;
  readonly configuration: ConfState;
  /** Whether a crash leaves it as it is. */
  readonly configurationKept: boolean;
  /** Nothing that the group has removed by this entry is in any file of the node. */
  readonly scrubbedTo: LogIndex;
  /** How far each member's log is known to match; on the leader only. */
  readonly matches: readonly { readonly member: MemberId; readonly match: LogIndex }[];
}

/** What a node says of itself (`PeerKind.status`). */
export interface NodeStatus {
  readonly member: MemberId;
  /** Where it is, as it was started. */
  readonly region: string;
  readonly replicas: readonly ReplicaStatus[];
  /** Bytes of replicas that it gave up, or that a crash has torn, may still be in its files. */
  readonly forgetting: boolean;
  /** Whether its disk takes writes that grow the data. */
  readonly space: 'ok' | 'low';
}

export function replicaStatus(replica: Replica): ReplicaStatus {
  const { role, leader, term, commit, applied, progress } = replica.status();
  return {
    group: replica.group,
    role,
    leader,
    term,
    commit,
    applied,
    commitSeq: replica.commitSeq,
    configuration: replica.configuration,
    configurationKept: replica.configured.isKept,
    scrubbedTo: replica.scrubbedTo,
    matches: progress.map(({ member, match }) => ({ member, match })),
  };
}
