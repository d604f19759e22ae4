import type { LogIndex } from '#contracts';
import type { ProgressState } from '../types';
import { type Inflights } from './inflights';

export interface ProgressOptions {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly learner: boolean;
  readonly recentActive: boolean;
  readonly inflights: Inflights;
}

/**
 * What the leader knows of one member's log.
 *
 * - `probe`: the match is unknown; one append at a time, moved on by its answer or by a heartbeat's.
 * - `replicate`: the match is known; appends are pipelined and `next` advances optimistically.
 * - `snapshot`: the entries it needs are gone; nothing is sent until the snapshot is installed or given up.
 *
 * Invariant: `match < next`. Only the leader's own copy is meaningful, other members keep it for its shape.
 */
export class Progress {
  match: LogIndex;
  next: LogIndex;
  state: ProgressState = 'probe';
  learner: boolean;
  /** Heard of since the last check of the quorum. */
  recentActive: boolean;
  /** Index of the snapshot being sent, 0 for none. */
  pendingSnapshot = 0 as LogIndex;
  /** Newest heartbeat round that this member answered: what reads are confirmed by. */
  acknowledgedRound = 0;
  readonly inflights: Inflights;
  /** Set after a probe, or with a full window: only an answer, or a heartbeat's, lets more out. */
  private flowPaused = false;
  /** Highest commit index sent; the follower may not have learnt it when the message was lost. */
  private sentCommit = 0;

  constructor(options: ProgressOptions) {
    this.match = options.match;
    this.next = options.next;
    this.learner = options.learner;
    this.recentActive = options.recentActive;
    this.inflights = options.inflights;
  }

  /** A copy for a configuration change that may still be refused; the window is shared with the original. */
  clone(): Progress {
    const copy = new Progress(this);
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.acknowledgedRound = this.acknowledgedRound;
    copy.flowPaused = this.flowPaused;
    copy.sentCommit = this.sentCommit;
    return copy;
  }

  becomeProbe(): void {
    // A snapshot that was delivered moves the follower at least to its index, so probing starts there.
    const afterSnapshot = this.state === 'snapshot' ? this.pendingSnapshot + 1 : 0;
    this.enter('probe');
    this.next = Math.max(this.match + 1, afterSnapshot) as LogIndex;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.enter('replicate');
    this.next = (this.match + 1) as LogIndex;
  }

  becomeSnapshot(snapshotIndex: LogIndex): void {
    this.enter('snapshot');
    this.pendingSnapshot = snapshotIndex;
    this.next = (snapshotIndex + 1) as LogIndex;
    this.sentCommit = snapshotIndex;
  }

  private enter(state: ProgressState): void {
    this.state = state;
    this.flowPaused = false;
    this.pendingSnapshot = 0 as LogIndex;
    this.inflights.reset();
  }

  isPaused(): boolean {
    return this.state === 'snapshot' || this.flowPaused;
  }

  pause(): void {
    this.flowPaused = true;
  }

  resume(): void {
    this.flowPaused = false;
  }

  /** A throttled pipeline may still send an empty append, which a heartbeat's answer lets through. */
  mayCarryEntries(): boolean {
    return this.state !== 'replicate' || !this.inflights.isFull();
  }

  /** Notes an append that left with `entryCount` entries of `bytes` in all, and the commit index it told. */
  sentAppend(entryCount: number, bytes: number, commit: LogIndex): void {
    this.sentCommit = commit;
    if (this.state === 'replicate') {
      if (entryCount > 0) {
        this.next = (this.next + entryCount) as LogIndex;
        this.inflights.add((this.next - 1) as LogIndex, bytes);
      }
      this.flowPaused = this.inflights.isFull();
    } else {
      this.flowPaused = true;
    }
  }

  sentHeartbeat(commit: LogIndex): void {
    if (commit > this.sentCommit) this.sentCommit = commit;
  }

  /** Whether telling `commit` now could move the follower's commit index on. */
  canAdvanceCommit(commit: LogIndex): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** An acknowledgement up to `index`. False when it says nothing new. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1) as LogIndex;
    this.flowPaused = false;
    return true;
  }

  /**
   * A refusal of the append after `rejected`; the logs may agree at `matchHint`. False for a stale one: below
   * the match while replicating, or not the probe that is out.
   */
  maybeDecreaseTo(rejected: LogIndex, matchHint: LogIndex): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = (this.match + 1) as LogIndex;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, matchHint + 1), this.match + 1) as LogIndex;
      this.flowPaused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }
}
