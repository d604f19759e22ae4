import { META_GROUP, type GroupId, type MemberId } from '#contracts';
import { DEFAULT_GROUP } from '../default-group';
import type { PlacementBug } from '../moves/planted-bug';
import type { Directory } from './directory';

/**
 * Which nodes may have to do with the bytes of a group: those of its regions. Asked at every place where bytes of a
 * group leave or enter a node, whatever plan or route led there.
 */
export class Borders {
  constructor(
    private readonly directory: Pick<Directory, 'groups' | 'nodes'>,
    private readonly self: { readonly member: MemberId; readonly region: string },
    private readonly plantedBug?: PlacementBug,
  ) {}

  isPinned(group: GroupId): boolean {
    return this.directory.groups.get(group)?.regions !== undefined;
  }

  mayCarry(group: GroupId, member: MemberId): boolean {
    const document = this.directory.groups.get(group);
    // Of a group that this node knows nothing of, nothing may go anywhere.
    if (document === undefined) return group === DEFAULT_GROUP || group === META_GROUP;
    const { regions } = document;
    if (regions === undefined || this.plantedBug === 'ignorePin') return true;
    const region = this.regionOf(member);
    return region !== undefined && regions.includes(region);
  }

  /** A node is where it says itself that it is, from its start on. */
  private regionOf(member: MemberId): string | undefined {
    return member === this.self.member ? this.self.region : this.directory.nodes.get(member)?.region;
  }
}
