import { type LogIndex, NO_MEMBER } from '#contracts';
import type { Core } from './core';
import { type PendingRead, MAX_READ_ROUNDS } from './read-queue';
import { broadcastHeartbeat } from './replication';
import { type Message, MessageType } from './types';

/**
 * Linearizable reads without a log entry (Raft dissertation, section 6.4): the leader notes its commit index,
 * proves by a round of heartbeats that it still leads, and the read may be answered once the state has applied
 * that index. Reads gather until `ready()` and share one round.
 */
export function readIndex(core: Core, context: number): void {
  if (core.role === 'leader') {
    core.reads.waiting.push({ from: core.id, context });
  } else if (core.leader === NO_MEMBER) {
    core.failReads([context]);
  } else {
    core.reads.forward(context);
    const request = core.draft(MessageType.readIndex, core.leader);
    request.context = context;
    core.send(request);
  }
}

/** A forwarded read. Who does not lead says so at once, so that its sender need not wait for a timeout. */
export function handleReadIndex(core: Core, message: Message): void {
  if (core.role === 'leader') {
    core.reads.waiting.push({ from: message.from, context: message.context });
    return;
  }
  const refusal = core.draft(MessageType.readIndexResponse, message.from);
  refusal.context = message.context;
  refusal.reject = true;
  core.send(refusal);
}

export function handleReadIndexResponse(core: Core, message: Message): void {
  if (!core.reads.answered(message.context)) return;
  core.readStates.push({
    context: message.context,
    index: message.reject ? (0 as LogIndex) : message.index,
    failed: message.reject,
  });
}

/**
 * Whether `flushReads` would do something. A new leader's commit index may lie behind what its predecessor
 * answered for, until an entry of its own term is committed: so reads wait for that, a single voter's too.
 */
export function canFlushReads(core: Core): boolean {
  return (
    core.role === 'leader' &&
    core.reads.waiting.length > 0 &&
    core.reads.rounds.length < MAX_READ_ROUNDS &&
    (core.hasCommittedInTerm() || core.hasBug('readIndexSkipTermCheck'))
  );
}

/** Starts one round for all reads that wait, or answers them from the lease. Called once per `ready()`. */
export function flushReads(core: Core): void {
  if (!canFlushReads(core)) return;
  const reads = core.reads.waiting;
  core.reads.waiting = [];
  const index = core.log.committed;
  if (holdsLease(core)) {
    answer(core, reads, index);
    return;
  }
  const round = beginRound(core);
  core.reads.rounds.push({ round, index, reads });
  if (!confirmReads(core)) broadcastHeartbeat(core, round);
}

/** Opens a round that the leader itself has answered already. */
function beginRound(core: Core): number {
  const round = core.reads.startRound(core.tick);
  const own = core.tracker.progress.get(core.id);
  if (own !== undefined) own.acknowledgedRound = round;
  return round;
}

/** Answers the reads whose round a quorum has confirmed. True when the newest round is. */
export function confirmReads(core: Core): boolean {
  const confirmed = core.tracker.confirmedRound();
  if (confirmed === 0) return false;
  for (const round of core.reads.confirmedTo(confirmed)) answer(core, round.reads, round.index);
  return confirmed >= core.reads.newestRound;
}

function answer(core: Core, reads: readonly PendingRead[], index: LogIndex): void {
  for (const read of reads) {
    if (read.from === core.id) {
      core.readStates.push({ context: read.context, index, failed: false });
      continue;
    }
    const response = core.draft(MessageType.readIndexResponse, read.from);
    response.context = read.context;
    response.index = index;
    core.send(response);
  }
}

/** The round that a periodic heartbeat asks to confirm: a lost one is made up for, and a lease renewed. */
export function heartbeatRound(core: Core): number {
  if (core.config.leaseReads) return beginRound(core);
  return core.reads.rounds.length > 0 ? core.reads.newestRound : 0;
}

/**
 * Whether followers that answered the last confirmed round still refuse to elect anyone else (section 6.4.1).
 * The margin covers that ticks of two members do not fall together, and a tenth for clocks that drift.
 */
function holdsLease(core: Core): boolean {
  if (core.hasBug('skipLeaseCheckAfterPause')) return true;
  const { leaseReads, electionTimeoutTicks } = core.config;
  const { leaseStartTick, leaseForfeited } = core.reads;
  if (!leaseReads || leaseForfeited || leaseStartTick === undefined) return false;
  const marginTicks = Math.max(2, Math.ceil(electionTimeoutTicks / 10));
  return core.tick - leaseStartTick < electionTimeoutTicks - marginTicks;
}
