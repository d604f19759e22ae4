import type { GroupId, MemberId } from '#contracts';
import type { StateReader } from '#state-machine';
import { Directory } from '../meta/directory';

/** The groups that a state of the meta group has written down, also those that came to their end. */
export function groupsOf(meta: StateReader): readonly GroupId[] {
  return [...written(meta).groups.keys()];
}

/** Whether a state of the meta group knows of no other node that is there: nobody else gives out positions. */
export function isOnlyNode(meta: StateReader, member: MemberId): boolean {
  return [...written(meta).nodes.values()].every(
    (node) => node.member === member || node.state === 'removed',
  );
}

function written(meta: StateReader): Directory {
  const directory = new Directory();
  directory.refresh(meta);
  return directory;
}
