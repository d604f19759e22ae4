import { NO_MEMBER } from '#contracts';
import type { Core } from './core';
import { campaign } from './election';
import { maybeAutoLeave } from './membership';
import { heartbeatRound } from './read-index';
import { broadcastHeartbeat } from './replication';
import { becomeFollower } from './roles';
import { abortTransfer } from './transfer';

/** One unit of time has passed: how long it is, is the host's choice. */
export function tick(core: Core): void {
  core.tick += 1;
  core.electionElapsedTicks += 1;
  if (core.role === 'leader') tickLeader(core);
  else tickOther(core);
}

function tickOther(core: Core): void {
  if (core.tick % core.config.electionTimeoutTicks === 0) core.failReads(core.reads.expireForwarded());
  if (core.electionElapsedTicks < core.randomizedElectionTicks) return;
  if (!core.isPromotable()) return forgetLeader(core);
  core.electionElapsedTicks = 0;
  campaign(core, false);
}

/**
 * A learner, or a member that was removed while it was away, hears no more of its leader and cannot ask for another
 * one. It must not go on naming it: whoever waits for its answers would wait for ever.
 */
function forgetLeader(core: Core): void {
  if (core.leader === NO_MEMBER) return;
  core.failReads(core.reads.reset(core.id));
  core.leader = NO_MEMBER;
}

function tickLeader(core: Core): void {
  core.heartbeatElapsedTicks += 1;
  if (core.electionElapsedTicks >= core.config.electionTimeoutTicks) {
    core.electionElapsedTicks = 0;
    checkQuorum(core);
    abortTransfer(core);
  }
  if (core.role !== 'leader' || core.heartbeatElapsedTicks < core.config.heartbeatTicks) return;
  core.heartbeatElapsedTicks = 0;
  maybeAutoLeave(core);
  broadcastHeartbeat(core, heartbeatRound(core));
}

/** A leader that a quorum has not been heard of for an election timeout steps down (dissertation, 6.2). */
function checkQuorum(core: Core): void {
  if (!core.config.checkQuorum) return;
  const active = core.tracker.quorumActive();
  core.tracker.clearActive(core.id);
  if (!active) becomeFollower(core, core.term, NO_MEMBER);
}
