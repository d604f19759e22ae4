import type { GroupId, MemberId } from '#contracts';
import type { NodeStatus } from '../cluster-bodies';

/**
 * Whether a removed member may forget its replica: once a majority of those that stay have applied the removal.
 * Until then they may still need its vote to find out that the removal was committed. The member asks them, because
 * if it was away meanwhile it never hears of its removal from its group: no leader speaks to it any more.
 */
export function isRemovalKept(statuses: readonly NodeStatus[], group: GroupId, removed: MemberId): boolean {
  const without = statuses.flatMap(({ member, replicas }) =>
    replicas
      .filter((replica) => {
        const { voters, votersOutgoing, learners, learnersNext } = replica.configuration;
        const members = [...voters, ...votersOutgoing, ...learners, ...learnersNext];
        return replica.group === group && voters.length > 0 && !members.includes(removed);
      })
      .map(({ applied, configuration: { voters } }) => ({ member, applied, voters })),
  );
  const [newest] = without.sort((left, right) => right.applied - left.applied);
  if (newest === undefined) return false;
  const agreeing = without.filter(({ member }) => newest.voters.includes(member));
  return agreeing.length * 2 > newest.voters.length;
}
