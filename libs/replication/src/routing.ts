import { META_GROUP, RESERVED_NAMESPACE_PREFIX, StateError, type GroupId } from '#contracts';
import { DEFAULT_GROUP } from './default-group';
import type { Directory } from './meta/directory';

/** Which group holds a namespace, and whether this node may have to do with it. */
export interface Routing {
  /** A lookup in memory: it stands on the path of every request. It may be stale, and a group refuses a stale one. */
  groupOf(ns: string): GroupId;
  /** Throws `region_not_allowed` unless the region of this node may serve the namespace. */
  refuseOutside(ns: string): void;
  /** Whether what `groupOf` says of a namespace holds for this node, or it was away and does not know yet. */
  knows(ns: string): boolean;
}

/** Routes as the documents of the meta group have them. */
export class RouteTable implements Routing {
  constructor(
    private readonly directory: Pick<Directory, 'namespaces'>,
    private readonly region: string,
    private readonly documents: {
      /** Whether they were up to date once since this node was started. */
      readonly wereCurrent: () => boolean;
      /** Whether somebody who writes them is heard of: a node that is cut off learns of nothing new. */
      readonly areFollowed: () => boolean;
    },
  ) {}

  groupOf(ns: string): GroupId {
    const document = this.directory.namespaces.get(ns);
    if (document !== undefined) return document.group;
    return ns.startsWith(RESERVED_NAMESPACE_PREFIX) ? META_GROUP : DEFAULT_GROUP;
  }

  refuseOutside(ns: string): void {
    if (this.mayServe(ns)) return;
    throw regionNotAllowed(this.region, this.directory.namespaces.get(ns)?.settings.regions ?? []);
  }

  /** Whether the pin of a namespace, if it has one, names the region of this node. */
  mayServe(ns: string): boolean {
    return this.directory.namespaces.get(ns)?.settings.regions?.includes(this.region) ?? true;
  }

  /**
   * A pin that is in force never leads out of its regions, however old the document is. One that is being set still
   * leads to where the namespace was: a node that was away must not send anything there when the move is over.
   */
  knows(ns: string): boolean {
    const document = this.directory.namespaces.get(ns);
    const { wereCurrent, areFollowed } = this.documents;
    if (document?.settings.regions === undefined) return wereCurrent();
    return document.movingTo === undefined || (wereCurrent() && areFollowed());
  }
}

function regionNotAllowed(region: string, allowed: readonly string[]): StateError {
  return new StateError(
    'region_not_allowed',
    'The namespace is pinned to regions that this node is not in.',
    {
      region,
      allowed_regions: allowed,
    },
  );
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
