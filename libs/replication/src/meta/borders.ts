import type { GroupId, MemberId } from '#contracts';
import type { Directory } from './directory';

/**
 * Which nodes may have to do with the bytes of a group: those of its regions. Asked at every place where bytes of a
 * group leave or enter a node, whatever plan or route led there.
 */
export class Borders {
  constructor(
    private readonly directory: Pick<Directory, 'groups' | 'nodes'>,
    private readonly self: { readonly member: MemberId; readonly region: string },
  ) {}

  isPinned(group: GroupId): boolean {
    return this.directory.groups.get(group)?.regions !== undefined;
  }

  mayCarry(group: GroupId, member: MemberId): boolean {
    const regions = this.directory.groups.get(group)?.regions;
    if (regions === undefined) return true;
    const region = this.regionOf(member);
    return region !== undefined && regions.includes(region);
  }

  /** A node is where it says itself that it is, from its start on. */
  private regionOf(member: MemberId): string | undefined {
    return member === this.self.member ? this.self.region : this.directory.nodes.get(member)?.region;
  }
}
