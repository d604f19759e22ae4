import { META_GROUP, RESERVED_NAMESPACE_PREFIX, groupId, type GroupId } from '#contracts';

/** The group of every namespace that nobody placed elsewhere. */
export const DEFAULT_GROUP = groupId(1);

/** Which group holds a namespace: a lookup, because it stands on the path of every request. */
export function groupOf(ns: string): GroupId {
  return ns.startsWith(RESERVED_NAMESPACE_PREFIX) ? META_GROUP : DEFAULT_GROUP;
}
