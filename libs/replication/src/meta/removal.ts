import type { GroupId, MemberId } from '#contracts';
import type { ConfState } from '#raft';
import type { NodeStatus } from '../node-status';

/** `voter`: it may still be a learner. */
export type FormerPart = 'member' | 'voter';

/**
 * Whether a group goes on without a member for good: a majority of its voters have applied a configuration that it
 * has no part in, and keep it through a crash. Before that they may need its vote to find out that its removal was
 * committed: a machine that loses what it had applied falls back to the configuration before, in which the removed
 * member counts.
 */
export function isRemovalKept(
  group: GroupId,
  member: MemberId,
  statuses: readonly NodeStatus[],
  part: FormerPart = 'member',
): boolean {
  const held = statuses.flatMap(({ member: from, replicas }) =>
    replicas
      .filter((replica) => replica.group === group && replica.configuration.voters.length > 0)
      .map(({ applied, configuration, configurationKept }) => {
        return {
          from,
          applied,
          configuration,
          isWithout: !hasPart(configuration, member, part),
          configurationKept,
        };
      }),
  );
  const [newest] = held.sort((left, right) => right.applied - left.applied);
  if (newest === undefined || !newest.isWithout || newest.configuration.votersOutgoing.length > 0)
    return false;
  const { voters } = newest.configuration;
  const agreeing = held.filter(
    ({ from, isWithout, configurationKept }) => isWithout && configurationKept && voters.includes(from),
  );
  return agreeing.length * 2 > voters.length;
}

function hasPart(
  { voters, votersOutgoing, learners, learnersNext }: ConfState,
  member: MemberId,
  part: FormerPart,
): boolean {
  if (voters.includes(member) || votersOutgoing.includes(member)) return true;
  return part === 'member' && (learners.includes(member) || learnersNext.includes(member));
}
