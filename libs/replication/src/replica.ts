import {
  NO_MEMBER,
  type StateError,
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
  type Ready,
  type SnapshotMetadata,
  type Status,
} from '#raft';
import { readTenancies, type StateReader } from '#state-machine';
import { AppliedState, type StateFollower } from './applied-state';
import { ConfigurationMark } from './configuration-mark';
import { PendingPositions } from './pending-positions';
import { PendingReads, noLeader } from './pending-reads';
import { PendingProposals, outcomeUnknown } from './proposals';
import { dropped, overloaded } from './refusals';
import type { StateStore } from './ports';
import { GroupLogView } from './raft-storage';
import type { ReplicaOptions } from './replica-options';
import { restoredHardState } from './restored-hard-state';
import { Tenants } from './tenants';

/**
 * One member of one group on this node: the Raft core, its part of the log, its state, and the clients waiting for
 * it. It does nothing by itself; the driver gives it turns.
 *
 * Invariant: the state is never ahead of the durable log (the core hands out only what is committed and synced here).
 */
export class Replica {
  readonly group: GroupId;
  readonly raft: RawNode;
  /** Which namespaces the group serves, as far as this replica has applied. */
  readonly tenants: Tenants;
  /** Says whether the configuration in force outlives a crash. */
  readonly configured: ConfigurationMark;
  /** Nothing that the group has removed by this entry is in any file of this node. */
  scrubbedTo = 0 as LogIndex;
  private readonly state: AppliedState;
  private readonly proposals: PendingProposals;
  private readonly reads: PendingReads;
  private readonly positions = new PendingPositions();
  private readonly queue: LogEntry[] = [];
  private leaderNow: MemberId;
  private isHeld = false;
  private caughtUp = false;

  constructor(private readonly options: ReplicaOptions) {
    this.group = options.group;
    this.proposals = new PendingProposals((error) => options.onProposalFailed(options.group, error.code));
    this.tenants = new Tenants(options.group, readTenancies(options.store));
    this.state = new AppliedState(options.store, {
      onTenancies: (tenancies) => {
        this.tenants.replace(tenancies);
        options.onTenants(this);
      },
      digest: options.digest,
      stateBug: options.stateBug,
      rowCacheBytes: options.limits.rowCacheBytes,
      applyConfChange: (data, index) => {
        this.configured.changedBy(index);
        return this.raft.applyConfChange(data);
      },
      onSnapshot: (command) => options.onSnapshot(this, command),
    });
    const { hardState } = options.log.state(options.group) ?? {};
    this.configured = new ConfigurationMark(this.state.index, hardState?.commit ?? (0 as LogIndex));
    this.reads = new PendingReads(options.random.below(0x10_0000) * 0x1_0000_0000);
    this.raft = new RawNode(
      { ...options.raft, id: options.member, random: (bound) => options.random.below(bound) },
      new GroupLogView(options.log, options.group, () => this.state.snapshot()),
      {
        hardState: restoredHardState(options.log, this.group, this.state.index),
        confState: this.state.configuration,
        applied: this.state.index,
      },
    );
    this.leaderNow = this.raft.status().leader;
  }

  /** The state that counts; another one after a snapshot was installed, so it is not kept by callers. */
  get store(): StateStore {
    return this.state.store;
  }

  /** The same state through a cache of the rows that are read most. */
  get reader(): StateReader {
    return this.state.reader;
  }

  get applied(): LogIndex {
    return this.state.index;
  }

  /**
   * Up to where the log may let go: what is applied and was asked of the log. A state that a snapshot has just
   * replaced may be ahead of what the core has yet to hand out from its log.
   */
  get releasable(): LogIndex {
    return Math.min(this.state.index, this.raft.status().applied) as LogIndex;
  }

  /** Position of the newest change in this replica's state. */
  get commitSeq(): CommitSeq {
    return this.state.commitSeq;
  }

  get appliedTerm(): Term {
    return this.state.term;
  }

  get leader(): MemberId {
    return this.leaderNow;
  }

  get isLeader(): boolean {
    return this.leaderNow === this.options.member;
  }

  /** Whether this replica has once, since it was opened, held all that its leader had committed at that moment. */
  get hasCaughtUp(): boolean {
    return this.caughtUp;
  }

  get configuration(): ConfState {
    return this.state.configuration;
  }

  /** Whether it was told of its group: before that it holds nothing and has promised nothing. */
  get hasBegun(): boolean {
    return this.state.configuration.voters.length > 0;
  }

  get waitingClients(): number {
    return this.proposals.size + this.reads.size + this.positions.size;
  }

  status(): Status {
    return this.raft.status();
  }

  /**
   * Whether this member may propose a write of a namespace: it leads, the namespace is served here, and the replica
   * has applied an entry of its own term, so that it knows of everything that was decided before.
   */
  mayWrite(ns: string): boolean {
    return this.knowsAll && this.tenants.mayWrite(ns);
  }

  /** Whether this member leads and has applied an entry of its own term, and so all that was decided before it. */
  get knowsAll(): boolean {
    return this.isLeader && this.state.term === this.raft.term;
  }

  /** Puts a command into the log; resolves once it is committed and applied here. Leader only. */
  propose(command: Uint8Array, deadlineMs: number): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      if (this.proposals.size >= this.options.limits.maxPendingProposals) {
        reject(this.refused(overloaded()));
        return;
      }
      const outcome = this.raft.propose(command);
      if (outcome.kind === 'dropped') {
        reject(this.refused(dropped(outcome.reason)));
        return;
      }
      this.proposals.add(outcome.index, outcome.term, deadlineMs, resolve, reject);
      this.options.onWork(this);
    });
  }

  /** Runs `evaluate` on a state that contains everything acknowledged before this call. */
  readLinearizable<T>(evaluate: () => T, deadlineMs: number): Promise<T> {
    if (this.decidesAlone()) {
      this.caughtUp = true;
      return Promise.resolve(evaluate());
    }
    if (this.leaderNow === NO_MEMBER) return Promise.reject(noLeader());
    if (this.reads.size >= this.options.limits.maxPendingReads) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      const run = (): void => {
        this.caughtUp = true;
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
    return this.positions.wait(seq, this.state.commitSeq, deadlineMs);
  }

  /** The first log index that a member which is there may still be sent; beyond the log's end when it has all. */
  neededFrom(): LogIndex {
    const { progress, lastIndex } = this.status();
    const live = progress.filter(({ recentActive }) => recentActive).map(({ match }) => match);
    return (Math.min(lastIndex, ...live) + 1) as LogIndex;
  }

  /** Whether this member leads others who vote: until one of them leads, they have nobody when it stops. */
  get leadsOthers(): boolean {
    return this.isLeader && this.configuration.voters.length > 1;
  }

  /**
   * Gives leadership to the voter that is furthest, of those that may have it. Does nothing without one that was just
   * heard of, and while it is being given: a target that does not take it is let go of after an election timeout.
   */
  handLeadershipOver(allowed: (voter: MemberId) => boolean = () => true): void {
    const isGiven = this.status().transferee !== NO_MEMBER;
    const to = this.isLeader && !isGiven ? this.successor(allowed) : undefined;
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
    this.positions.expire(nowMs, this.state.commitSeq);
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
      else this.reads.confirmed(read.context, read.index, this.state.index);
    }
    return ready;
  }

  /** What the mark stands for is durable, `hardState` with it. */
  appendDone(mark: number, hardState: HardState | undefined): void {
    if (hardState !== undefined) this.configured.keptTo(hardState.commit);
    this.raft.appendDone(mark);
    this.options.onWork(this);
  }

  /** Applies what the last ready handed out (which the core bounds in bytes) as one write to the state. */
  applyQueued(): void {
    if (this.queue.length === 0 || this.isHeld) return;
    const entries = this.queue.splice(0);
    const { outcomes, changes } = this.state.apply(entries);
    // Not what the state holds: where a snapshot that the core would not hear of replaced it, it is ahead.
    this.raft.applied((entries[entries.length - 1] as LogEntry).index);
    this.options.onWork(this);
    if (changes.length > 0) this.options.onChanges(this.group, changes);
    for (const [at, entry] of entries.entries()) this.proposals.settle(entry.index, entry.term, outcomes[at]);
    this.reads.appliedTo(this.state.index);
    this.positions.reached(this.state.commitSeq);
  }

  /** Resolves once all that is applied by now survives a crash. */
  async flush(): Promise<void> {
    const through = this.state.index;
    await this.state.store.flush();
    this.configured.keptTo(through);
  }

  /** Calls `follower` with all that is written to the state from now on; the returned function ends that. */
  follow(follower: StateFollower): () => void {
    return this.state.follow(follower);
  }

  /** Applies nothing until {@link resumeApplying}: the state must not overtake a snapshot that is made to count. */
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
    const before = this.state.replace(next);
    // Installed durably; its configuration is of an entry that it holds.
    this.configured.changedBy(this.state.index);
    this.configured.keptTo(this.state.index);
    this.proposals.abandonThrough(this.state.index);
    this.reads.appliedTo(this.state.index);
    this.positions.reached(this.state.commitSeq);
    return before;
  }

  /** Puts an equal state, in another place, in the place of this one. The caller closes the one before. */
  exchangeState(equal: StateStore): void {
    this.state.exchange(equal);
  }

  /** A snapshot stands where the state stands: it is streamed from a scan opened at the moment of sending. */
  snapshotOfState(): SnapshotMetadata | undefined {
    return this.state.snapshot();
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

  /**
   * Whether what this replica has applied is all that was ever acknowledged: it is the only voter, leads, and has
   * applied an entry of its term. Then a read needs no round.
   */
  private decidesAlone(): boolean {
    return (
      this.leaderNow === this.options.member &&
      this.state.configuration.voters.length === 1 &&
      this.state.configuration.votersOutgoing.length === 0 &&
      this.state.term === this.raft.term
    );
  }

  private refused(error: StateError): StateError {
    this.options.onProposalFailed(this.group, error.code);
    return error;
  }

  private successor(allowed: (voter: MemberId) => boolean): MemberId | undefined {
    const { progress, confState } = this.status();
    const candidates = progress.filter(
      ({ member, recentActive }) =>
        member !== this.options.member &&
        recentActive &&
        confState.voters.includes(member) &&
        allowed(member),
    );
    return candidates.sort((left, right) => right.match - left.match)[0]?.member;
  }

  private noteLeader(leader: MemberId): void {
    if (leader === this.leaderNow) return;
    this.leaderNow = leader;
    this.tenants.forgetAnnounced();
    this.options.onLeader(this.group, leader, this.raft.status().term);
  }
}
