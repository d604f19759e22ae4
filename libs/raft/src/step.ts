import { NO_MEMBER } from '#contracts';
import type { Core } from './core';
import {
  campaign,
  handleVoteRequest,
  handleVoteResponse,
  refuseStalePreVote,
  refusesElections,
} from './election';
import { confirmReads, handleReadIndex, handleReadIndexResponse } from './read-index';
import {
  handleAppend,
  handleAppendResponse,
  handleHeartbeat,
  handleHeartbeatResponse,
  nudgeStaleLeader,
} from './replication';
import { becomeFollower } from './roles';
import { handleInstallSnapshot } from './snapshot';
import { handleTransferLeader } from './transfer';
import { type Message, MessageType } from './types';

const comesFromLeader = (message: Message): boolean =>
  message.type === MessageType.append ||
  message.type === MessageType.heartbeat ||
  message.type === MessageType.installSnapshot;

const asksForVote = (message: Message): boolean =>
  message.type === MessageType.requestVote || message.type === MessageType.requestPreVote;

/** One message from another member. Messages for someone else are dropped: ids are never reused. */
export function step(core: Core, message: Message): void {
  if (message.to !== core.id || message.from === core.id || message.from === NO_MEMBER) return;
  if (message.term > core.term) {
    if (asksForVote(message) && !message.transfer && refusesElections(core)) return;
    adoptTerm(core, message);
  } else if (message.term < core.term) {
    answerStale(core, message);
    return;
  }
  if (comesFromLeader(message)) stepFromLeader(core, message);
  else if (core.role === 'leader') stepLeader(core, message);
  else stepOther(core, message);
}

/** A newer term makes a follower of anyone (Raft dissertation, section 3.3), except for pre-votes (9.6). */
function adoptTerm(core: Core, message: Message): void {
  if (message.type === MessageType.requestPreVote) return;
  if (message.type === MessageType.requestPreVoteResponse && !message.reject) return;
  becomeFollower(core, message.term, comesFromLeader(message) ? message.from : NO_MEMBER);
}

/**
 * A leader of an older term is told of the newer one: with pre-votes and quorum checks this member's own
 * campaigns would be ignored, and the two would stay apart for ever.
 */
function answerStale(core: Core, message: Message): void {
  const { preVote, checkQuorum } = core.config;
  if (message.type === MessageType.requestPreVote) refuseStalePreVote(core, message);
  else if (comesFromLeader(message) && (preVote || checkQuorum)) nudgeStaleLeader(core, message.from);
}

function stepFromLeader(core: Core, message: Message): void {
  if (core.role === 'leader') {
    core.broken(`members ${core.id} and ${message.from} both lead in term ${core.term}`);
  }
  if (core.role !== 'follower') becomeFollower(core, core.term, message.from);
  if (core.leader !== NO_MEMBER && core.leader !== message.from)
    core.broken(`members ${core.leader} and ${message.from} both lead in term ${core.term}`);
  core.leader = message.from;
  core.electionElapsedTicks = 0;
  if (message.type === MessageType.append) handleAppend(core, message);
  else if (message.type === MessageType.heartbeat) handleHeartbeat(core, message);
  else handleInstallSnapshot(core, message);
}

function stepLeader(core: Core, message: Message): void {
  switch (message.type) {
    case MessageType.appendResponse:
      handleAppendResponse(core, message);
      break;
    case MessageType.heartbeatResponse:
      handleHeartbeatResponse(core, message);
      confirmReads(core);
      break;
    case MessageType.readIndex:
      handleReadIndex(core, message);
      break;
    case MessageType.transferLeader:
      handleTransferLeader(core, message);
      break;
    case MessageType.requestVote:
    case MessageType.requestPreVote:
      handleVoteRequest(core, message);
      break;
    default:
      // Late answers to its own election, or to reads from before it led.
      break;
  }
}

function stepOther(core: Core, message: Message): void {
  switch (message.type) {
    case MessageType.requestVote:
    case MessageType.requestPreVote:
      handleVoteRequest(core, message);
      break;
    case MessageType.requestVoteResponse:
    case MessageType.requestPreVoteResponse:
      handleVoteResponse(core, message);
      break;
    case MessageType.timeoutNow:
      if (core.role === 'follower') campaign(core, true);
      break;
    case MessageType.readIndex:
      handleReadIndex(core, message);
      break;
    case MessageType.readIndexResponse:
      handleReadIndexResponse(core, message);
      break;
    default:
      // Answers to a leader that this member is not any more.
      break;
  }
}
