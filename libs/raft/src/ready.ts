import { type HardState, type LogEntry, type LogIndex } from '#contracts';
import type { Core } from './core';
import { entriesBytes } from './entry-bytes';
import { canFlushReads, flushReads } from './read-index';
import { flushAppends } from './replication';
import { roleOf, softStateOf } from './status';
import type { Message, Ready, ReadState, SnapshotMetadata, SoftState } from './types';

const NO_ENTRIES: readonly LogEntry[] = [];
const NO_MESSAGES: readonly Message[] = [];
const NO_READ_STATES: readonly ReadState[] = [];

interface Append {
  readonly mark: number;
  readonly entries: readonly LogEntry[];
  readonly snapshot: SnapshotMetadata | undefined;
  readonly hardState: HardState | undefined;
}

const NO_APPEND: Append = { mark: 0, entries: NO_ENTRIES, snapshot: undefined, hardState: undefined };

/** Collects what has come up since the last time, and remembers what was handed out. */
export class ReadyAssembler {
  private softState: SoftState;
  private hardState: HardState;

  constructor(private readonly core: Core) {
    this.softState = softStateOf(core);
    this.hardState = { term: core.term, vote: core.vote, commit: core.log.committed };
  }

  /** Cheap, for an idle group above all: reads a few fields, allocates nothing. */
  hasReady(): boolean {
    const { core } = this;
    return (
      core.messages.length > 0 ||
      core.readStates.length > 0 ||
      core.appendsPending ||
      this.softStateChanged() ||
      this.mustHandOut() ||
      (core.messagesAfterDurable.length > 0 && core.log.durability.isSettled) ||
      this.appliableTo() > core.cursor.applying ||
      canFlushReads(core)
    );
  }

  next(): Ready {
    const { core } = this;
    flushReads(core);
    // Followers get the new entries while they are still in one piece in memory, and before the own disk does:
    // the leader writes in parallel (Raft dissertation, section 10.2.1).
    if (core.appendsPending) flushAppends(core);
    const softState = this.softStateChanged() ? (this.softState = softStateOf(core)) : undefined;
    const append = this.takeAppend();
    const messagesAfterDurable = this.takeMessagesAfterDurable(append);
    const committedEntries = this.takeCommitted();
    return {
      softState,
      hardState: append.hardState,
      entries: append.entries,
      snapshot: append.snapshot,
      messages: this.takeMessages(),
      messagesAfterDurable,
      committedEntries,
      readStates: this.takeReadStates(),
      appendMark: append.mark,
    };
  }

  private softStateChanged(): boolean {
    return this.softState.leader !== this.core.leader || this.softState.role !== roleOf(this.core);
  }

  private termOrVoteChanged(): boolean {
    return this.hardState.term !== this.core.term || this.hardState.vote !== this.core.vote;
  }

  private mustHandOut(): boolean {
    const { log } = this.core;
    return log.canHandOut() && (log.hasUnstable() || this.termOrVoteChanged());
  }

  private takeAppend(): Append {
    if (!this.mustHandOut()) return NO_APPEND;
    const { core } = this;
    // The commit index goes along whenever there is something to write anyway. So a member that finds a conf
    // change in its log after a crash also knows that the one before it was committed: the leader proposed the
    // second only after it had committed the first, and said so with it.
    const commitChanged = core.log.hasUnstable() && this.hardState.commit !== core.log.committed;
    let hardState: HardState | undefined;
    if (this.termOrVoteChanged() || commitChanged) {
      this.hardState = { term: core.term, vote: core.vote, commit: core.log.committed };
      hardState = core.hasBug('voteTwice')
        ? { ...this.hardState, vote: 0 as HardState['vote'] }
        : this.hardState;
    }
    return { ...core.log.handOut(hardState), hardState };
  }

  /**
   * What waits for the disk goes with the state that is handed out now. Without any, it still waits for earlier
   * hand-overs: an answer to a repeated append must not leave before the append itself is durable.
   */
  private takeMessagesAfterDurable(append: Append): readonly Message[] {
    const { core } = this;
    const waiting = core.messagesAfterDurable;
    if (waiting.length === 0) return NO_MESSAGES;
    if (append.mark !== 0) {
      core.messagesAfterDurable = [];
      return waiting;
    }
    if (core.log.durability.isSettled) {
      core.messagesAfterDurable = [];
      for (const message of waiting) core.messages.push(message);
    }
    return NO_MESSAGES;
  }

  /** Committed and locally durable: the state can never be ahead of the log that would rebuild it. */
  private appliableTo(): LogIndex {
    const { log, cursor } = this.core;
    if (log.unstable.snapshot !== undefined || cursor.roomBytes <= 0) return cursor.applying;
    if (this.core.hasBug('applyBeyondDurable')) return log.committed;
    return Math.min(log.committed, log.durability.index) as LogIndex;
  }

  private takeCommitted(): readonly LogEntry[] {
    const { log, cursor } = this.core;
    const end = this.appliableTo();
    if (end <= cursor.applying) return NO_ENTRIES;
    const entries = log.entries((cursor.applying + 1) as LogIndex, (end + 1) as LogIndex, cursor.roomBytes);
    if (entries.length === 0)
      return this.core.broken(`committed entry ${cursor.applying + 1} is not in the log`);
    cursor.handedOut((cursor.applying + entries.length) as LogIndex, entriesBytes(entries));
    return entries;
  }

  private takeMessages(): readonly Message[] {
    const { messages } = this.core;
    if (messages.length === 0) return NO_MESSAGES;
    this.core.messages = [];
    return messages;
  }

  private takeReadStates(): readonly ReadState[] {
    const { readStates } = this.core;
    if (readStates.length === 0) return NO_READ_STATES;
    this.core.readStates = [];
    return readStates;
  }
}
