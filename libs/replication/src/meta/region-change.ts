import { META_GROUP, type GroupId } from '#contracts';
import type { Directory } from './directory';

/** This node is in another region than the data that it holds may be in: it must neither serve it nor keep it. */
export class RegionChanged extends Error {
  constructor(
    readonly region: string,
    readonly group: GroupId,
    readonly allowed: readonly string[],
  ) {
    super(
      `REGION=${region}, but this node holds replicas that are pinned to ${allowed.join(', ')} (group ${group}); start it with its old REGION, or remove it from the cluster and let it join again with an empty folder.`,
    );
    this.name = 'RegionChanged';
  }
}

/**
 * Throws {@link RegionChanged} when one of the groups that this node holds may not be in its region. A group that
 * the documents do not show yet may be told of by what is still to be replayed: it is looked at again then.
 */
export function refuseOutsideRegions(
  region: string,
  held: Iterable<GroupId>,
  directory: Pick<Directory, 'groups'>,
): void {
  for (const group of held) {
    const allowed = directory.groups.get(group)?.regions;
    if (group === META_GROUP || allowed === undefined || allowed.includes(region)) continue;
    throw new RegionChanged(region, group, allowed);
  }
}
