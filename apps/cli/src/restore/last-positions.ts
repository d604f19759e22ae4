import type { CommitSeq, GroupId } from '#contracts';
import { placesIn } from '../data/data-folder';
import type { RestorePlan } from './restore-plan';

/** Other nodes of a cluster may have given out positions that this one had not heard of. */
const CLUSTER_GAP = 1_000_000_000;
/** Neither the log nor the state says how far the node had come. */
const UNKNOWN_GAP = 1_000_000_000_000;

/**
 * The last position that may ever have been given out, for each group of the plan: never one that was given out is
 * missing, some that never were may be counted.
 */
export async function lastPositions(plan: RestorePlan): Promise<ReadonlyMap<GroupId, CommitSeq>> {
  const { record, identity } = plan;
  const wasAlone = identity === undefined || (identity.founder && identity.founders.length === 1);
  const last = new Map<GroupId, CommitSeq>();
  for (const { group, index, commitSeq } of record.parts) {
    // Each entry gives out one position at most.
    const end = plan.log.get(group)?.lastIndex ?? 0;
    const here = plan.isOfThisLog ? commitSeq + (end - index) : await positionOfState(plan, group);
    const gap = here === undefined ? UNKNOWN_GAP : wasAlone ? 0 : CLUSTER_GAP;
    last.set(group, (Math.max(commitSeq, here ?? 0) + gap) as CommitSeq);
  }
  return last;
}

/** How far the state that is there now may have come, its log included; `undefined` when that cannot be read. */
async function positionOfState(plan: RestorePlan, group: GroupId): Promise<number | undefined> {
  const { groups } = placesIn(plan.dataDir);
  // In a folder without a node nothing was given out that the snapshot does not know of.
  if (plan.identity === undefined) return undefined;
  const { RocksStateViews } = await import('#storage');
  const { readApplied } = await import('#state-machine');
  try {
    const view = await new RocksStateViews(groups).open(group);
    try {
      const { appliedIndex, commitSeq } = readApplied(view.state);
      return commitSeq + Math.max(0, (plan.log.get(group)?.lastIndex ?? appliedIndex) - appliedIndex);
    } finally {
      await view.close();
    }
  } catch {
    return undefined;
  }
}
