import { META_GROUP, type GroupId } from '#contracts';
import { DEFAULT_GROUP } from '../default-group';
import type { Directory } from './directory';
import type { GroupDocument } from './documents';
import { allowedNodes } from './placement';

type Documents = Pick<Directory, 'nodes' | 'namespaces'>;

/** Whether a namespace is served by a group, is on its way there, or has left something behind. */
export function isInUse(group: GroupId, { namespaces }: Pick<Documents, 'namespaces'>): boolean {
  if (group === META_GROUP || group === DEFAULT_GROUP) return true;
  for (const document of namespaces.values()) {
    const { movingTo, erasing, scrubbing } = document;
    if (document.group === group || movingTo === group || erasing.includes(group)) return true;
    if (scrubbing.some((one) => one.group === group)) return true;
  }
  return false;
}

/**
 * Whether a group that was written down will never begin: those of its founders that were not removed are no majority.
 * It holds nothing, because namespaces go to a group only once it has begun.
 */
export function cannotBegin(
  { forming, founders }: Pick<GroupDocument, 'forming' | 'founders'>,
  nodes: Documents['nodes'],
): boolean {
  const left = founders.filter((member) => nodes.get(member)?.state !== 'removed');
  return forming && left.length * 2 <= founders.length;
}

/**
 * Whether a group has come to its end: no namespace needs it, and either no node that stays may hold it, or so many
 * of its voters were removed that it cannot go on. Nobody works for it any more, and a placement that asks for the
 * same begins another one.
 */
export function isOver(
  group: Pick<GroupDocument, 'group' | 'regions' | 'voters' | 'forming' | 'founders'>,
  documents: Documents,
): boolean {
  const { nodes } = documents;
  const left = group.voters.filter((member) => nodes.get(member)?.state !== 'removed');
  const hasQuorum = left.length * 2 > group.voters.length && !cannotBegin(group, nodes);
  if (hasQuorum && allowedNodes(group, nodes.values()).length > 0) return false;
  return !isInUse(group.group, documents);
}
