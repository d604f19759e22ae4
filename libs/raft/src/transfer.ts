import { type MemberId, NO_MEMBER } from '#contracts';
import type { Core } from './core';
import { type Message, MessageType } from './types';

/**
 * Leadership transfer (Raft dissertation, section 3.10): the leader refuses proposals, brings the target's log
 * up to its own, and tells it to campaign at once. Given up after an election timeout.
 */
export function transferLeadership(core: Core, target: MemberId): void {
  if (core.role !== 'leader') {
    if (core.leader === NO_MEMBER) return;
    const request = core.draft(MessageType.transferLeader, core.leader);
    request.context = target;
    core.send(request);
    return;
  }
  const progress = core.tracker.progress.get(target);
  if (target === core.id || progress === undefined || !core.tracker.configuration.incoming.has(target))
    return;
  if (core.transferee === target) return;
  core.transferee = target;
  // The transfer has one election timeout from here.
  core.electionElapsedTicks = 0;
  core.reads.leaseForfeited = true;
  maybeSendTimeoutNow(core, target);
  core.appendsPending = true;
}

/** A follower's wish; its target is in the message's context. */
export function handleTransferLeader(core: Core, message: Message): void {
  if (core.role === 'leader') transferLeadership(core, message.context as MemberId);
}

/** Lets the target go as soon as it has the whole log. */
export function maybeSendTimeoutNow(core: Core, from: MemberId): void {
  if (from !== core.transferee || core.transferee === NO_MEMBER) return;
  if (core.tracker.progress.get(from)?.match === core.log.lastIndex)
    core.send(core.draft(MessageType.timeoutNow, from));
}

export function abortTransfer(core: Core): void {
  core.transferee = NO_MEMBER;
}
