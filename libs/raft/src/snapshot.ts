import type { LogIndex, MemberId } from '#contracts';
import { restoreConfiguration } from './confchange/restore';
import type { Core } from './core';
import type { Progress } from './tracker/progress';
import { type Message, MessageType, type SnapshotMetadata } from './types';

/**
 * Sends a follower the place of a snapshot, when the entries that it needs are gone (Raft dissertation,
 * chapter 5). The host sees the message leave and streams the bytes beside it.
 */
export function sendSnapshot(core: Core, to: MemberId, progress: Progress): boolean {
  // A follower that has not been heard of would only waste the transfer.
  if (!progress.recentActive) return false;
  const snapshot = core.log.snapshot();
  if (snapshot === undefined || !mentions(snapshot, to)) return false;
  if (snapshot.index + 1 < core.log.firstIndex)
    core.broken(`snapshot ${snapshot.index} ends before the log begins at ${core.log.firstIndex}`);
  progress.becomeSnapshot(snapshot.index);
  const install = core.draft(MessageType.installSnapshot, to);
  install.snapshot = snapshot;
  core.send(install);
  return true;
}

/**
 * Whether a member is part of a snapshot's configuration. One from before it was added would leave it outside of
 * its own configuration, so a newer one is waited for.
 */
function mentions(snapshot: SnapshotMetadata, member: MemberId): boolean {
  const { voters, votersOutgoing, learners } = snapshot.confState;
  return voters.includes(member) || votersOutgoing.includes(member) || learners.includes(member);
}

/** The host's word on how sending the bytes went. A follower is probed again at its next answer either way. */
export function reportSnapshot(core: Core, member: MemberId, ok: boolean): void {
  const progress = core.tracker.progress.get(member);
  if (core.role !== 'leader' || progress?.state !== 'snapshot') return;
  // Without this a failed transfer would be probed as if its snapshot had arrived.
  if (!ok) progress.pendingSnapshot = 0 as LogIndex;
  progress.becomeProbe();
  // The answer to the installed snapshot comes first; after a failure a heartbeat's answer tries again.
  progress.pause();
}

/** A follower's side: takes the snapshot in place of its log, unless it has all of it already. */
export function handleInstallSnapshot(core: Core, message: Message): void {
  const { snapshot } = message;
  if (snapshot === undefined) return;
  const answer = core.draft(MessageType.appendResponse, message.from);
  if (restore(core, snapshot)) {
    const bonus = core.hasBug('snapshotIndexOffByOne') ? 1 : 0;
    answer.index = (snapshot.index + bonus) as LogIndex;
  } else {
    answer.index = core.log.committed;
  }
  core.sendAfterDurable(answer);
}

function restore(core: Core, snapshot: SnapshotMetadata): boolean {
  const { log } = core;
  if (snapshot.index <= log.committed) return false;
  // One at a time: the sender learns from the answer how far the one that is being installed reaches.
  if (log.unstable.snapshot !== undefined) return false;
  if (!mentions(snapshot, core.id)) return false;
  if (log.matches(snapshot)) {
    // The log holds all of it: only the news of the commit was missing.
    log.commitTo(snapshot.index);
    return false;
  }
  log.restore(snapshot);
  return true;
}

/**
 * The host has installed the snapshot durably: the state stands at its index, and only now its configuration is in
 * force. Until then the host may still apply conf changes that were handed out before.
 */
export function snapshotInstalled(core: Core, index: LogIndex): void {
  const { unstable } = core.log;
  const { snapshot } = unstable;
  if (snapshot?.index !== index) return core.broken(`snapshot ${index} is not being installed`);
  unstable.snapshotInstalled();
  core.cursor.restored(index);
  const outcome = restoreConfiguration(
    { lastIndex: index, newInflights: () => core.tracker.newInflights() },
    snapshot.confState,
  );
  if (!outcome.ok) return core.broken(`the snapshot's configuration is impossible: ${outcome.reason}`);
  core.tracker.use(outcome.configuration, outcome.progress);
}
