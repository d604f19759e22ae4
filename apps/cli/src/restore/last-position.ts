import { access } from 'node:fs/promises';
import path from 'node:path';
import { META_GROUP, type CommitSeq, type GroupId, type LogIndex } from '#contracts';
import type { StateReader } from '#state-machine';
import { placesIn } from '../data/data-folder';
import { sha256 } from '../data/sha256';
import type { RestorePlan } from './restore-plan';

/** Others may have given out positions that this node had not heard of, or its log is not there to say. */
const CLUSTER_GAP = 1_000_000_000;
/** Neither the log nor the state says how far the node had come. */
const UNKNOWN_GAP = 1_000_000_000_000;

/** How far the groups of the node that is there may have come, and whether nobody has come further. */
interface Reached {
  readonly position: number;
  readonly isAll: boolean;
}

/**
 * The last position that may ever have been given out by any group: never one that was given out is missing, some
 * that never were may be counted. One for all groups, because a namespace takes its position along when it moves, and
 * may come back to a group that has given out less. `meta` is the restored meta group, as the snapshot has it.
 */
export async function lastPosition(plan: RestorePlan, meta: StateReader): Promise<CommitSeq> {
  const reached = await (plan.isOfThisLog ? reachedByLog(plan, meta) : reachedByState(plan));
  const gap = reached === undefined ? UNKNOWN_GAP : reached.isAll ? 0 : CLUSTER_GAP;
  const snapshot = Math.max(...plan.record.parts.map(({ commitSeq }) => commitSeq));
  return (Math.max(snapshot, reached?.position ?? 0) + gap) as CommitSeq;
}

async function reachedByLog(plan: RestorePlan, meta: StateReader): Promise<Reached> {
  const { record, log } = plan;
  const starts = new Map(record.parts.map(({ group, index }) => [group, index]));
  const snapshot = Math.max(...record.parts.map(({ commitSeq }) => commitSeq));
  return { position: snapshot + entriesAfter(log, starts), isAll: await isAllKnown(plan, meta) };
}

/** From the states that are there, with what their log holds beyond them; `undefined` when they cannot be read. */
async function reachedByState(plan: RestorePlan): Promise<Reached | undefined> {
  // In a folder without a node nothing was given out that the snapshot does not know of.
  if (plan.identity === undefined) return undefined;
  const { RocksStateViews } = await import('#storage');
  const { readApplied } = await import('#state-machine');
  const { groups: folder } = placesIn(plan.dataDir);
  const views = new RocksStateViews(folder);
  const applied = new Map<GroupId, LogIndex>();
  let position = 0;
  let isAll = false;
  try {
    for (const { group } of plan.record.parts) await access(path.join(folder, String(group)));
    for (const group of await views.groups()) {
      const view = await views.open(group);
      try {
        const { appliedIndex, commitSeq } = readApplied(view.state);
        applied.set(group, appliedIndex);
        position = Math.max(position, commitSeq);
        if (group === META_GROUP) isAll = await isAllKnown(plan, view.state);
      } finally {
        await view.close();
      }
    }
  } catch {
    return undefined;
  }
  return { position: position + entriesAfter(plan.log, applied), isAll };
}

/** Each entry gives out one position at most, above all that any group had given out before. */
function entriesAfter(log: RestorePlan['log'], starts: ReadonlyMap<GroupId, LogIndex>): number {
  let entries = 0;
  for (const [group, { lastIndex }] of log) entries += Math.max(0, lastIndex - (starts.get(group) ?? 0));
  return entries;
}

/** Whether the log here has all of every group that there was, and nobody else had a part in them. */
async function isAllKnown({ identity, log, dataDir }: RestorePlan, meta: StateReader): Promise<boolean> {
  if (identity === undefined || !identity.founder || identity.founders.length > 1) return false;
  const { OverlaidStore, groupsOf, isOnlyNode, rollForward } = await import('#replication');
  const { readApplied } = await import('#state-machine');
  const { openLogReader } = await import('#wal');
  const { appliedIndex } = readApplied(meta);
  const held = log.get(META_GROUP);
  if (held === undefined || held.floorIndex > appliedIndex) return false;
  const newest = new OverlaidStore(meta);
  const reader = openLogReader(placesIn(dataDir).wal);
  try {
    const entries = reader.entries(META_GROUP, (appliedIndex + 1) as LogIndex);
    await rollForward({ store: newest, digest: sha256, entries, target: { kind: 'latest' } });
  } finally {
    reader.close();
  }
  return isOnlyNode(newest, identity.member) && groupsOf(newest).every((group) => log.has(group));
}
