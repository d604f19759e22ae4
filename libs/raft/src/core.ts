import { type LogIndex, type MemberId, NO_MEMBER, type Term } from '#contracts';
import { ApplyCursor } from './apply-cursor';
import { restoreConfiguration } from './confchange/restore';
import { type InvariantReporter, invariantReporter } from './invariant';
import { RaftLog } from './log';
import { type MessageDraft, newMessage } from './message';
import { ReadQueue } from './read-queue';
import { Tracker } from './tracker/tracker';
import {
  type Message,
  type MessageType,
  type PlantedBug,
  type RaftConfig,
  type RaftStorage,
  type ReadState,
  type RestoredState,
  type Role,
} from './types';
import { UncommittedBytes } from './uncommitted';

/** A learner is a follower here: who votes is a matter of the configuration. */
export type InternalRole = Exclude<Role, 'learner'>;

/**
 * The state of one member, and the few operations that every part shares. The algorithm is in the files named
 * after its parts (election, replication, snapshot, read-index, transfer, membership), as functions over this.
 */
export class Core {
  readonly id: MemberId;
  readonly broken: InvariantReporter;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  readonly cursor: ApplyCursor;
  readonly uncommitted: UncommittedBytes;
  readonly reads = new ReadQueue();

  term: Term;
  vote: MemberId;
  leader: MemberId = NO_MEMBER;
  role: InternalRole = 'follower';
  transferee: MemberId = NO_MEMBER;
  /** At or above the index of the newest conf change that may be in the log and unapplied. */
  pendingConfIndex = 0 as LogIndex;

  /** Ticks lived through: the only clock. */
  tick = 0;
  /** Followers: ticks since the leader was heard of. Leader: since the last check of the quorum. */
  electionElapsedTicks = 0;
  heartbeatElapsedTicks = 0;
  randomizedElectionTicks = 0;

  /** Messages that may leave at once. */
  messages: Message[] = [];
  /** Messages that depend on state which the host has not synced yet. */
  messagesAfterDurable: Message[] = [];
  readStates: ReadState[] = [];
  /** The leader has something to tell its followers; `ready()` sends it, in one batch for all proposals. */
  appendsPending = false;

  constructor(
    readonly config: RaftConfig,
    storage: RaftStorage,
    restored: RestoredState,
  ) {
    this.id = config.id;
    this.broken = invariantReporter(config.id, config.onInvariant);
    if (config.id <= 0) this.broken('a member id is 1 or more');
    if (config.heartbeatTicks < 1 || config.electionTimeoutTicks <= config.heartbeatTicks)
      this.broken(
        'the election timeout must be longer than the heartbeat interval, which is at least a tick',
      );
    if (config.leaseReads && !config.checkQuorum) this.broken('lease reads need the quorum check');
    this.log = new RaftLog(storage, restored, this.broken, this.hasBug('forgetTruncation'));
    this.term = restored.hardState.term;
    this.vote = restored.hardState.vote;
    this.tracker = new Tracker(config);
    this.cursor = new ApplyCursor(restored.applied, config.maxCommittedBytes);
    this.uncommitted = new UncommittedBytes(config.maxUncommittedBytes);
    const outcome = restoreConfiguration(
      { lastIndex: this.log.lastIndex, newInflights: () => this.tracker.newInflights() },
      restored.confState,
    );
    if (!outcome.ok) this.broken(`the stored configuration is impossible: ${outcome.reason}`);
    else this.tracker.use(outcome.configuration, outcome.progress);
    this.randomizeElectionTimeout();
  }

  hasBug(bug: PlantedBug): boolean {
    return this.config.plantedBug === bug;
  }

  randomizeElectionTimeout(): void {
    const { electionTimeoutTicks, random } = this.config;
    this.randomizedElectionTicks = electionTimeoutTicks + random(electionTimeoutTicks);
  }

  /** A message of the present term; the caller fills it in and sends it. */
  draft(type: MessageType, to: MemberId): MessageDraft {
    return newMessage(type, this.id, to, this.term);
  }

  send(message: Message): void {
    this.messages.push(message);
  }

  /**
   * Sends once everything that this member knows now is durable: votes and what asks for them, and answers to
   * appends and snapshots (Raft dissertation, section 3.8).
   */
  sendAfterDurable(message: Message): void {
    this.messagesAfterDurable.push(message);
  }

  /** Whether an entry of the leader's own term is committed: only then is its commit index the group's. */
  hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  /** Whether anybody has told this member of its group yet. */
  hasBegun(): boolean {
    return this.tracker.configuration.incoming.size > 0;
  }

  /** Whether this member could be elected: a voter whose log is not being replaced by a snapshot. */
  isPromotable(): boolean {
    return this.tracker.isVoter(this.id) && this.log.unstable.snapshot === undefined;
  }

  failReads(contexts: readonly number[]): void {
    for (const context of contexts) this.readStates.push({ context, index: 0 as LogIndex, failed: true });
  }

  /** What every change of role or term begins with. */
  reset(term: Term): void {
    if (term < this.term) this.broken(`term goes back from ${this.term} to ${term}`);
    if (!Number.isSafeInteger(term)) this.broken(`term ${term} is out of range`);
    if (term !== this.term) {
      this.term = term;
      this.vote = NO_MEMBER;
    }
    this.leader = NO_MEMBER;
    this.electionElapsedTicks = 0;
    this.heartbeatElapsedTicks = 0;
    this.randomizeElectionTimeout();
    this.transferee = NO_MEMBER;
    this.tracker.resetVotes();
    this.tracker.resetProgress(this.id, this.log.durability.index, this.log.lastIndex);
    this.pendingConfIndex = 0 as LogIndex;
    this.uncommitted.reset();
    this.appendsPending = false;
    this.failReads(this.reads.reset(this.id));
  }
}
