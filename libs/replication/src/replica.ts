import {
  EntryKind,
  type StateError,
  type ChangeBatch,
  type CommandOutcome,
  type CommitSeq,
  type GroupId,
  type HardState,
  type LogEntry,
  type LogIndex,
  type MemberId,
  type Term,
} from '#contracts';
import {
  RawNode,
  type ConfChange,
  type ConfState,
  type Message,
  type ProposeOutcome,
  type RaftConfig,
  type Ready,
  type SnapshotMetadata,
  type Status,
} from '#raft';
import { ApplyBatch, readApplied } from '#state-machine';
import { CONF_STATE_KEY, decodeConfState, encodeConfState } from './replica-rows';
import { PendingPositions } from './pending-positions';
import { PendingReads, noLeader } from './pending-reads';
import { PendingProposals, outcomeUnknown } from './proposals';
import { dropped, overloaded } from './refusals';
import type { LogStore, Random, StateStore } from './ports';
import { GroupLogView } from './raft-storage';

/** Bounds on what one replica holds in memory for its clients; past them it answers `overloaded`. */
export interface ReplicaLimits {
  readonly maxPendingProposals: number;
  readonly maxPendingReads: number;
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
  /** Called after the changes can be read from the state, in order. */
  readonly onChanges: (group: GroupId, changes: readonly ChangeBatch[]) => void;
  /** The replica has work for the next turn. */
  readonly onWork: (replica: Replica) => void;
  readonly onLeader: (group: GroupId, leader: MemberId, term: Term) => void;
}

/** Of a member that nobody has told anything yet: it cannot campaign, and waits for a leader. */
const NO_CONFIGURATION: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/**
 * One member of one group on this node: the Raft core, its part of the log, its state, and the clients waiting for
 * it. It does nothing by itself; the driver gives it turns.
 *
 * Invariant: the state is never ahead of the durable log (the core hands out only what is committed and synced here).
 */
export class Replica {
  readonly group: GroupId;
  readonly raft: RawNode;
  private state: StateStore;
  private readonly proposals = new PendingProposals();
  private readonly reads: PendingReads;
  private readonly positions = new PendingPositions();
  private readonly queue: LogEntry[] = [];
  private appliedIndex: LogIndex;
  private appliedTerm: Term;
  private appliedSeq: CommitSeq;
  private confState: ConfState;
  private leaderNow: MemberId;
  private isHeld = false;

  constructor(private readonly options: ReplicaOptions) {
    this.group = options.group;
    this.state = options.store;
    const applied = readApplied(options.store);
    this.appliedIndex = applied.appliedIndex;
    this.appliedTerm = applied.appliedTerm;
    this.appliedSeq = applied.commitSeq;
    this.confState = this.restoreConfState();
    this.reads = new PendingReads(options.random.below(0x10_0000) * 0x1_0000_0000);
    this.raft = new RawNode(
      { ...options.raft, id: options.member, random: (bound) => options.random.below(bound) },
      new GroupLogView(options.log, options.group, () => this.snapshotOfState()),
      { hardState: this.restoreHardState(), confState: this.confState, applied: this.appliedIndex },
    );
    this.leaderNow = this.raft.status().leader;
  }

  /** The state that counts; another one after a snapshot was installed, so it is not kept by callers. */
  get store(): StateStore {
    return this.state;
  }

  get applied(): LogIndex {
    return this.appliedIndex;
  }

  /** Position of the newest change in this replica's state. */
  get commitSeq(): CommitSeq {
    return this.appliedSeq;
  }

  get leader(): MemberId {
    return this.leaderNow;
  }

  get isLeader(): boolean {
    return this.leaderNow === this.options.member;
  }

  get configuration(): ConfState {
    return this.confState;
  }

  get waitingClients(): number {
    return this.proposals.size + this.reads.size + this.positions.size;
  }

  status(): Status {
    return this.raft.status();
  }

  /** Puts a command into the log; resolves once it is committed and applied here. Leader only. */
  propose(command: Uint8Array, deadlineMs: number): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      if (this.proposals.size >= this.options.limits.maxPendingProposals) {
        reject(overloaded());
        return;
      }
      const outcome = this.raft.propose(command);
      if (outcome.kind === 'dropped') {
        reject(dropped(outcome.reason));
        return;
      }
      this.proposals.add(outcome.index, outcome.term, deadlineMs, resolve, reject);
      this.options.onWork(this);
    });
  }

  /** Runs `evaluate` on a state that contains everything acknowledged before this call. */
  readLinearizable<T>(evaluate: () => T, deadlineMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.leaderNow === 0) {
        reject(noLeader());
        return;
      }
      if (this.reads.size >= this.options.limits.maxPendingReads) {
        reject(overloaded());
        return;
      }
      const run = (): void => {
        try {
          resolve(evaluate());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.reads.add(deadlineMs, run, reject);
      this.options.onWork(this);
    });
  }

  /** Resolves once this replica has applied the change at `seq`. */
  whenReached(seq: CommitSeq, deadlineMs: number): Promise<void> {
    return this.positions.wait(seq, this.appliedSeq, deadlineMs);
  }

  /** Whether this member leads and another voter is known to keep up. */
  get canHandOver(): boolean {
    return this.isLeader && this.successor() !== undefined;
  }

  /** Gives leadership to the voter that is furthest, if there is one: for a node that is about to stop. */
  handLeadershipOver(): void {
    const to = this.isLeader ? this.successor() : undefined;
    if (to !== undefined) this.transferLeadership(to);
  }

  /** Asks for leadership without waiting for the election timeout. */
  campaign(): void {
    this.raft.campaign();
    this.options.onWork(this);
  }

  /** Leader only; refused while another change is under way. */
  proposeConfChange(change: ConfChange): ProposeOutcome {
    const outcome = this.raft.proposeConfChange(change);
    this.options.onWork(this);
    return outcome;
  }

  transferLeadership(to: MemberId): void {
    this.raft.transferLeadership(to);
    this.options.onWork(this);
  }

  step(message: Message): void {
    this.raft.step(message);
    this.options.onWork(this);
  }

  tick(nowMs: number, readRetryMs: number): void {
    this.raft.tick();
    this.proposals.expire(nowMs);
    this.reads.expire(nowMs);
    this.reads.retry(nowMs, readRetryMs);
    this.positions.expire(nowMs, this.appliedSeq);
    if (this.raft.hasReady() || this.reads.waiting) this.options.onWork(this);
  }

  /** The core's next piece of work, and what of it is this replica's own: entries to apply and reads to answer. */
  takeReady(nowMs: number): Ready | undefined {
    if (this.reads.waiting) this.raft.readIndex(this.reads.beginRound(nowMs));
    if (!this.raft.hasReady()) return undefined;
    const ready = this.raft.ready();
    if (ready.softState !== undefined) this.noteLeader(ready.softState.leader);
    for (const entry of ready.committedEntries) this.queue.push(entry);
    for (const read of ready.readStates) {
      if (read.failed) this.reads.failed(read.context);
      else this.reads.confirmed(read.context, read.index, this.appliedIndex);
    }
    return ready;
  }

  appendDone(mark: number): void {
    this.raft.appendDone(mark);
    this.options.onWork(this);
  }

  /** Applies what the last ready handed out (which the core bounds in bytes) as one write to the state. */
  applyQueued(): void {
    if (this.queue.length === 0 || this.isHeld) return;
    const batch = new ApplyBatch(this.state, this.options.digest);
    const outcomes: (CommandOutcome | undefined)[] = [];
    const changes: ChangeBatch[] = [];
    let confRow: Uint8Array | undefined;
    for (const entry of this.queue) {
      if (entry.index <= this.appliedIndex) {
        // The core came to know of it as an entry while a snapshot that holds it was installed.
        if (entry.kind === EntryKind.confChange) this.raft.applyConfChange(entry.data);
        outcomes.push(undefined);
        continue;
      }
      if (entry.index !== this.appliedIndex + 1) {
        throw new Error(`group ${this.group}: entry ${entry.index} follows applied ${this.appliedIndex}`);
      }
      if (entry.kind === EntryKind.confChange) {
        this.confState = this.raft.applyConfChange(entry.data);
        confRow = encodeConfState(this.confState);
        batch.skip(entry.index, entry.term);
        outcomes.push(undefined);
      } else if (entry.data.length === 0) {
        batch.skip(entry.index, entry.term);
        outcomes.push(undefined);
      } else {
        const applied = batch.apply(entry.index, entry.term, entry.data);
        outcomes.push(applied.outcome);
        for (const change of applied.changes) changes.push(change);
      }
      this.appliedIndex = entry.index;
      this.appliedTerm = entry.term;
    }
    const writes = batch.finish();
    this.state.write(
      confRow === undefined ? writes : { ...writes, puts: [...writes.puts, [CONF_STATE_KEY, confRow]] },
    );
    this.appliedSeq = batch.commitSeq;
    const entries = this.queue.splice(0);
    this.raft.applied(this.appliedIndex);
    this.options.onWork(this);
    if (changes.length > 0) this.options.onChanges(this.group, changes);
    for (const [at, entry] of entries.entries()) this.proposals.settle(entry.index, entry.term, outcomes[at]);
    this.reads.appliedTo(this.appliedIndex);
    this.positions.reached(this.appliedSeq);
  }

  /**
   * Applies nothing until {@link resumeApplying}: while a snapshot that is ahead of the state is made to count, the
   * state must not overtake it.
   */
  holdApplying(): void {
    this.isHeld = true;
  }

  resumeApplying(): void {
    this.isHeld = false;
    this.options.onWork(this);
  }

  /**
   * Puts an installed snapshot in the place of the state; the caller steps the message that offered it right after,
   * with {@link snapshotOfState}, and closes the state returned. Never goes back.
   */
  replaceState(next: StateStore): StateStore {
    const before = this.state;
    const applied = readApplied(next);
    if (applied.appliedIndex <= this.appliedIndex) {
      throw new Error(
        `group ${this.group}: a snapshot at ${applied.appliedIndex} cannot replace a state at ${this.appliedIndex}`,
      );
    }
    this.state = next;
    this.appliedIndex = applied.appliedIndex;
    this.appliedTerm = applied.appliedTerm;
    this.appliedSeq = applied.commitSeq;
    this.confState = this.restoreConfState();
    this.proposals.abandonThrough(this.appliedIndex);
    this.reads.appliedTo(this.appliedIndex);
    this.positions.reached(this.appliedSeq);
    return before;
  }

  /** A snapshot stands where the state stands: it is streamed from a scan opened at the moment of sending. */
  snapshotOfState(): SnapshotMetadata | undefined {
    if (this.appliedIndex === 0) return undefined;
    return { index: this.appliedIndex, term: this.appliedTerm, confState: this.confState };
  }

  reportSnapshotFailed(to: MemberId): void {
    this.raft.reportSnapshot(to, false);
    this.options.onWork(this);
  }

  /** Ends every client's wait: the replica is going away. What was proposed may still be committed by others. */
  rejectWaiting(error: () => StateError): void {
    this.proposals.rejectAll(outcomeUnknown);
    this.reads.rejectAll(error);
    this.positions.rejectAll(error);
  }

  private successor(): MemberId | undefined {
    const { progress, confState } = this.status();
    const candidates = progress.filter(
      ({ member, recentActive }) =>
        member !== this.options.member && recentActive && confState.voters.includes(member),
    );
    return candidates.sort((left, right) => right.match - left.match)[0]?.member;
  }

  private noteLeader(leader: MemberId): void {
    if (leader === this.leaderNow) return;
    this.leaderNow = leader;
    this.options.onLeader(this.group, leader, this.raft.status().term);
  }

  private restoreConfState(): ConfState {
    const row = this.state.get(CONF_STATE_KEY);
    return row === undefined ? NO_CONFIGURATION : decodeConfState(row);
  }

  private restoreHardState(): HardState {
    const state = this.options.log.state(this.group);
    if (state === undefined) return { term: 0 as Term, vote: 0 as MemberId, commit: 0 as LogIndex };
    if (this.appliedIndex > state.lastIndex || this.appliedIndex < state.floorIndex) {
      throw new Error(
        `group ${this.group}: state has applied ${this.appliedIndex}, but its log holds ${state.floorIndex + 1} to ${state.lastIndex}`,
      );
    }
    // What was applied was committed, even if the newer commit index had not reached the disk.
    return state.hardState.commit >= this.appliedIndex
      ? state.hardState
      : { ...state.hardState, commit: this.appliedIndex };
  }
}
