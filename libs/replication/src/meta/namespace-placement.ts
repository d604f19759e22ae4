import { META_GROUP, type GroupId } from '#contracts';
import { DEFAULT_GROUP } from '../default-group';
import type { Directory, Versioned } from './directory';
import type { GroupDocument, NamespaceSettings } from './documents';
import { cannotBegin, isOver } from './groups-in-use';

/** What decides in which group a namespace is: all namespaces that ask for the same share one. */
export type Placement = Pick<GroupDocument, 'regions' | 'replicas' | 'readReplicas' | 'retention'>;

/** The placement that settings ask for. What they leave open is as in the default placement. */
export function placementOf(
  settings: NamespaceSettings,
  defaults: Pick<GroupDocument, 'replicas'>,
): Placement {
  const { regions, replicas, readReplicas, retention } = settings;
  return {
    regions: regions && [...regions].sort(),
    replicas: replicas ?? defaults.replicas,
    readReplicas: Object.fromEntries(Object.entries(readReplicas).sort()),
    retention,
  };
}

/** The group of a placement, if one was made already, can begin, and has not come to its end. */
export function groupOfPlacement(
  placement: Placement,
  directory: Pick<Directory, 'groups' | 'nodes' | 'namespaces'>,
): Versioned<GroupDocument> | undefined {
  const wanted = keyOf(placement);
  for (const group of directory.groups.values()) {
    if (group.group === META_GROUP || keyOf(group) !== wanted) continue;
    if (!isOver(group, directory) && !cannotBegin(group, directory.nodes)) return group;
  }
  return undefined;
}

/** The number of the next group. */
export function nextGroup(groups: Directory['groups']): GroupId {
  return (Math.max(DEFAULT_GROUP, ...groups.keys()) + 1) as GroupId;
}

function keyOf({ regions, replicas, readReplicas, retention }: Placement): string {
  const { seconds, commits } = retention;
  return JSON.stringify([
    regions ?? null,
    replicas,
    Object.entries(readReplicas).sort(),
    seconds ?? null,
    commits ?? null,
  ]);
}
