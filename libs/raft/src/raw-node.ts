import { EntryKind, type LogIndex, type MemberId, NO_MEMBER, type Term } from '#contracts';
import { Core } from './core';
import { campaign, countOwnVote, mayBreakLease } from './election';
import { appliedTo, applyConfChange, proposeConfChange } from './membership';
import { readIndex } from './read-index';
import { ReadyAssembler } from './ready';
import { acknowledgeOwn, appendOwn, reportUnreachable } from './replication';
import { reportSnapshot, snapshotInstalled } from './snapshot';
import { statusOf } from './status';
import { step } from './step';
import { tick } from './tick';
import { transferLeadership } from './transfer';
import type {
  ConfChange,
  ConfState,
  Message,
  ProposeOutcome,
  RaftConfig,
  RaftStorage,
  Ready,
  RestoredState,
  Status,
} from './types';

type Dropped = Extract<ProposeOutcome, { kind: 'dropped' }>;

/**
 * One member of one Raft group, as a function of what is put in: it does no I/O, knows no clock, and answers
 * with the work in `ready()`. The host's duties are in {@link Ready} and in the README.
 *
 * All methods are synchronous. They throw only on a broken invariant, after which the member must not be used.
 */
export class RawNode {
  private readonly core: Core;
  private readonly assembler: ReadyAssembler;

  constructor(config: RaftConfig, storage: RaftStorage, restored: RestoredState) {
    this.core = new Core(config, storage, restored);
    this.assembler = new ReadyAssembler(this.core);
  }

  /** One unit of time has passed; step the messages that are waiting before ticking after a stall. */
  tick(): void {
    tick(this.core);
  }

  /** A message from another member; one that cannot be used is dropped. Takes over `message.entries`. */
  step(message: Message): void {
    step(this.core, message);
  }

  /**
   * Starts an election now, if this member may (a pre-vote round first, when configured). With lease reads, not
   * while a leader may hold a lease from this member.
   */
  campaign(): void {
    if (mayBreakLease(this.core)) return;
    campaign(this.core, false);
  }

  /** Appends one entry to the leader's log. The outcome is only its place: watch `committedEntries` for the rest. */
  propose(data: Uint8Array): ProposeOutcome {
    const refusal = this.refusal(data.byteLength);
    if (refusal !== undefined) return refusal;
    const index = appendOwn(this.core, EntryKind.normal, data);
    this.core.uncommitted.add(index, data.byteLength);
    return { kind: 'appended', index, term: this.core.term };
  }

  /**
   * Appends several entries in one go, all or none. The outcome names the first one's index; the others follow.
   * `datas` is not empty.
   */
  proposeMany(datas: readonly Uint8Array[]): ProposeOutcome {
    if (datas.length === 0) throw new Error('nothing to propose');
    let bytes = 0;
    for (const data of datas) bytes += data.byteLength;
    const refusal = this.refusal(bytes);
    if (refusal !== undefined) return refusal;
    const firstIndex = (this.core.log.lastIndex + 1) as LogIndex;
    for (const data of datas) appendOwn(this.core, EntryKind.normal, data);
    this.core.uncommitted.add(this.core.log.lastIndex, bytes);
    return { kind: 'appended', index: firstIndex, term: this.core.term };
  }

  private refusal(bytes: number): Dropped | undefined {
    const { core } = this;
    if (core.role !== 'leader') return { kind: 'dropped', reason: 'notLeader' };
    if (!core.tracker.progress.has(core.id)) return { kind: 'dropped', reason: 'notMember' };
    if (core.transferee !== NO_MEMBER) return { kind: 'dropped', reason: 'transferring' };
    if (!core.uncommitted.admits(bytes)) return { kind: 'dropped', reason: 'uncommittedFull' };
    return undefined;
  }

  /** Proposes a change of the members; one without changes leaves a joint configuration. */
  proposeConfChange(change: ConfChange): ProposeOutcome {
    return proposeConfChange(this.core, change);
  }

  /** Puts a committed conf change entry into force, when the host applies it. Answers what to remember. */
  applyConfChange(change: ConfChange | Uint8Array): ConfState {
    return applyConfChange(this.core, change);
  }

  /**
   * Asks from which applied index on a read is linearizable; the answer is a `ReadState` with this context, which
   * must be a new one for every attempt. It fails when no leader is known or leadership changes, and an answer
   * may also never come (a lost message): then it fails within two election timeouts.
   */
  readIndex(context: number): void {
    readIndex(this.core, context);
  }

  /** Hands leadership to a voter, from here or by asking the leader. Watch `status().transferee` and the leader. */
  transferLeadership(target: MemberId): void {
    transferLeadership(this.core, target);
  }

  hasReady(): boolean {
    return this.assembler.hasReady();
  }

  /** Takes the work that has come up. May be called while earlier appends are in flight. */
  ready(): Ready {
    return this.assembler.next();
  }

  /** The append of `mark`, and every one before it, is synced; its `messagesAfterDurable` have been sent. */
  appendDone(mark: number): void {
    const { core } = this;
    const snapshotIndex = core.log.durability.done(mark);
    if (snapshotIndex === undefined) return core.broken(`append ${mark} is not in flight`);
    if (snapshotIndex > 0) snapshotInstalled(core, snapshotIndex);
    if (core.role === 'leader') acknowledgeOwn(core);
    else countOwnVote(core);
  }

  /** Everything handed out up to `index` is in the state. */
  applied(index: LogIndex): void {
    appliedTo(this.core, index);
  }

  /** The transport failed to deliver to `member`. */
  reportUnreachable(member: MemberId): void {
    reportUnreachable(this.core, member);
  }

  /** How streaming a snapshot to `member` ended. Due after every `installSnapshot` message. */
  reportSnapshot(member: MemberId, ok: boolean): void {
    reportSnapshot(this.core, member, ok);
  }

  status(): Status {
    return statusOf(this.core);
  }

  get term(): Term {
    return this.core.term;
  }

  /** Known committed; `committedEntries` follows when the entries are durable here. */
  get commitIndex(): LogIndex {
    return this.core.log.committed;
  }

  /** Term of an entry of this member's log as it stands, of the floor as well. */
  termAt(index: LogIndex): Term | undefined {
    return this.core.log.term(index);
  }

  get leader(): MemberId {
    return this.core.leader;
  }

  get isLeader(): boolean {
    return this.core.role === 'leader';
  }
}
