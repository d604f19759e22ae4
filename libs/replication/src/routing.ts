import { META_GROUP, RESERVED_NAMESPACE_PREFIX, groupId, type GroupId } from '#contracts';

/** The group of every namespace that nobody placed elsewhere. */
export const DEFAULT_GROUP = groupId(1);

/** Which group holds a namespace: a lookup, because it stands on the path of every request. */
export function groupOf(ns: string): GroupId {
  return ns.startsWith(RESERVED_NAMESPACE_PREFIX) ? META_GROUP : DEFAULT_GROUP;
}

/**
 * A name for a placement that the same regions always get, and no others. Regions are named with letters, digits,
 * dots, dashes and underscores; in the name there is no dot, so that it can be one part of a subject.
 */
export function placementName(regions: readonly string[] | undefined): string {
  if (regions === undefined) return 'default';
  const names = [...new Set(regions)].sort().map((region) => region.replaceAll('.', '%2E'));
  return `in+${names.join('+')}`;
}
