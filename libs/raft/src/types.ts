import type { HardState, LogEntry, LogIndex, MemberId, Term } from '#contracts';

/** Who votes and who only follows, in etcd/raft's terms. `votersOutgoing` is empty unless the change is joint. */
export interface ConfState {
  readonly voters: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
  readonly learners: readonly MemberId[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly MemberId[];
  /** Whether a leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/** Where a snapshot stands in the log. The bytes are the host's affair: it streams them beside Raft. */
export interface SnapshotMetadata {
  readonly index: LogIndex;
  readonly term: Term;
  readonly confState: ConfState;
}

/**
 * The core's view of what the host has taken over with `ready()`. All calls are synchronous and cheap; entries
 * are visible from the moment they were handed out, durable or not (the core counts durability by itself).
 */
export interface RaftStorage {
  /** First index still held; `lastIndex + 1` when there is none. */
  firstIndex(): LogIndex;
  lastIndex(): LogIndex;
  /** The term of an entry, or of the floor (`firstIndex - 1`); `undefined` when compacted or not there. */
  term(index: LogIndex): Term | undefined;
  /** Entries `low` (inclusive) to `high` (exclusive): at least one, then as many as fit `maxBytes`. */
  entries(low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[];
  /** The newest snapshot that a follower could be sent; `undefined` while none can be made. */
  snapshot(): SnapshotMetadata | undefined;
}

/** A message between two members of one group. The field names follow etcd/raft's `raftpb.Message`. */
export interface Message {
  readonly type: MessageType;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: Term;
  /** For appends: index and term of the entry before `entries`; for answers: see the type. */
  readonly index: LogIndex;
  readonly logTerm: Term;
  readonly commit: LogIndex;
  readonly entries: readonly LogEntry[];
  readonly reject: boolean;
  /** Where the follower's log may agree, with `reject` (fast backtracking). */
  readonly rejectHint: LogIndex;
  readonly snapshot?: SnapshotMetadata;
  /**
   * For `readIndex` and its answer: made by the host, unique per attempt. For heartbeats and their answers: the
   * leader's own count of rounds, 0 for none. For `transferLeader`: the target.
   */
  readonly context: number;
  /** Set on votes asked for by a leadership transfer: they may disturb a live leader. */
  readonly transfer: boolean;
}

/** The numbers are on the wire. */
export const MessageType = {
  append: 1,
  appendResponse: 2,
  requestVote: 3,
  requestVoteResponse: 4,
  requestPreVote: 5,
  requestPreVoteResponse: 6,
  heartbeat: 7,
  heartbeatResponse: 8,
  installSnapshot: 9,
  readIndex: 10,
  readIndexResponse: 11,
  timeoutNow: 12,
  /** A follower asks the leader to hand leadership over. */
  transferLeader: 13,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader' | 'learner';

export interface SoftState {
  readonly leader: MemberId;
  readonly role: Role;
}

/** A read may be answered once the state has applied `index`. */
export interface ReadState {
  readonly context: number;
  readonly index: LogIndex;
  /** Set instead when the read cannot be served: no leader, or leadership was lost meanwhile. */
  readonly failed: boolean;
}

/**
 * The work that the core hands to its host, each piece once. The host's duties, in order:
 * 1. send `messages` at once;
 * 2. give `snapshot` (install), `hardState` and `entries` to the log, in that order, in one append: entries must
 *    be readable through `RaftStorage` before the core is called again;
 * 3. when that append is synced, send `messagesAfterDurable`, then call `appendDone(appendMark)`;
 * 4. apply `committedEntries`, then call `applied(index)`; conf changes go through `applyConfChange` first;
 * 5. answer `readStates` once their index is applied.
 *
 * Without an `appendMark` there are no `messagesAfterDurable`. After a `snapshot` no further work under 2. is
 * handed out until its mark came back; `appendDone` of it also counts as `applied` up to the snapshot's index.
 */
export interface Ready {
  readonly softState?: SoftState;
  /**
   * Given when term or vote changed, and with entries or a snapshot when the commit index changed: a new commit
   * index alone costs no sync.
   */
  readonly hardState?: HardState;
  readonly entries: readonly LogEntry[];
  readonly snapshot?: SnapshotMetadata;
  readonly messages: readonly Message[];
  readonly messagesAfterDurable: readonly Message[];
  readonly committedEntries: readonly LogEntry[];
  readonly readStates: readonly ReadState[];
  /** Nonzero when 2. has work: to be given back to `appendDone`, in the order of handing out. */
  readonly appendMark: number;
}

export type ProposeOutcome =
  | { readonly kind: 'appended'; readonly index: LogIndex; readonly term: Term }
  | {
      readonly kind: 'dropped';
      readonly reason:
        | 'notLeader'
        | 'transferring'
        | 'uncommittedFull'
        | 'confChangePending'
        /** The change is impossible in the present configuration, for instance it would leave no voter. */
        | 'confChangeInvalid'
        | 'notMember';
    };

export type ConfChangeKind = 'addVoter' | 'addLearner' | 'remove';

export interface ConfChange {
  readonly changes: readonly { readonly kind: ConfChangeKind; readonly member: MemberId }[];
  /** `auto`: joint when more than one voter moves, left by itself. Others as in etcd/raft's ConfChangeV2. */
  readonly transition: 'auto' | 'jointImplicit' | 'jointExplicit';
  /** The host's own bytes, carried along (for instance a node's address). */
  readonly context: Uint8Array;
}

export interface RaftConfig {
  readonly id: MemberId;
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
  /** Bounds on one append message and on what is in flight to one follower. */
  readonly maxMessageBytes: number;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Past this a leader refuses proposals (at least one is always let in). */
  readonly maxUncommittedBytes: number;
  /** Most bytes of committed entries in one `ready()`. */
  readonly maxCommittedBytes: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  /** Reads from a leader's lease, without a round trip: off unless clocks are trusted. */
  readonly leaseReads: boolean;
  /** Gives a whole number from 0 to below `bound`: for election timeouts. Injected, so that runs repeat. */
  readonly random: (bound: number) => number;
  /** Called on a broken invariant before the core throws. */
  readonly onInvariant?: (what: string) => void;
  /** @internal A mistake to make on purpose: simulators prove with it that they would notice. */
  readonly plantedBug?: PlantedBug;
}

/** @internal See {@link RaftConfig.plantedBug}. Each is one named branch in the core. */
export type PlantedBug =
  | 'ackBeforeSync'
  | 'voteTwice'
  | 'commitOlderTerm'
  | 'applyBeyondDurable'
  | 'forgetTruncation'
  | 'readIndexSkipTermCheck'
  | 'skipLeaseCheckAfterPause'
  | 'snapshotIndexOffByOne';

/** What a member remembers across a restart, given to the core's constructor. */
export interface RestoredState {
  readonly hardState: HardState;
  readonly confState: ConfState;
  /** Applied index of the state machine: committed entries up to here are not handed out again. */
  readonly applied: LogIndex;
}

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export interface Status {
  readonly id: MemberId;
  readonly term: Term;
  readonly vote: MemberId;
  readonly leader: MemberId;
  readonly role: Role;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  readonly confState: ConfState;
  readonly transferee: MemberId;
  /** On the leader only. */
  readonly progress: readonly {
    readonly member: MemberId;
    readonly match: LogIndex;
    readonly next: LogIndex;
    readonly state: ProgressState;
    readonly learner: boolean;
    readonly recentActive: boolean;
  }[];
}
