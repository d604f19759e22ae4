import type { MemberId } from '#contracts';
import type { GroupDocument, NodeDocument } from './documents';

/** Most voters of the meta group; every other node follows it as a learner. */
export const META_VOTERS = 5;

/**
 * Who should hold a group: those that hold it and may keep it, then nodes of regions that have none yet, then the
 * rest, in the order of their ids (so that everyone who plans on the same documents plans the same).
 */
export function planVoters(
  group: Pick<GroupDocument, 'regions' | 'replicas' | 'voters'>,
  nodes: Iterable<NodeDocument>,
): readonly MemberId[] {
  const allowed = allowedNodes(group, nodes);
  const chosen = allowed.filter(({ member }) => group.voters.includes(member)).slice(0, group.replicas);
  while (chosen.length < group.replicas) {
    const rest = allowed.filter((node) => !chosen.includes(node));
    const heldIn = (region: string): number => chosen.filter((node) => node.region === region).length;
    const [next] = rest.sort(
      (left, right) => heldIn(left.region) - heldIn(right.region) || left.member - right.member,
    );
    if (next === undefined) break;
    chosen.push(next);
  }
  return chosen.map(({ member }) => member).sort((left, right) => left - right);
}

/** The non-voting replicas of a group: in each region that asks for some, those that hold it, then nodes without it. */
export function planReadReplicas(
  group: Pick<GroupDocument, 'regions' | 'readReplicas' | 'learners'>,
  voters: readonly MemberId[],
  nodes: Iterable<NodeDocument>,
): readonly MemberId[] {
  const allowed = allowedNodes(group, nodes).filter(({ member }) => !voters.includes(member));
  return Object.entries(group.readReplicas)
    .flatMap(([region, count]) => {
      const there = allowed.filter((node) => node.region === region);
      const held = there.filter(({ member }) => group.learners.includes(member));
      return [...held, ...there.filter((node) => !held.includes(node))].slice(0, count);
    })
    .map(({ member }) => member)
    .sort((left, right) => left - right);
}

/** The nodes that may hold a group, in the order of their ids. */
export function allowedNodes(
  { regions }: Pick<GroupDocument, 'regions'>,
  nodes: Iterable<NodeDocument>,
): NodeDocument[] {
  return [...nodes]
    .filter(({ state, region }) => state === 'active' && (regions?.includes(region) ?? true))
    .sort((left, right) => left.member - right.member);
}

/**
 * The same while some nodes are lost: another node takes the place of a lost one that may hold the group too. Where
 * there is no other, the lost one keeps its place, and comes back to it.
 */
export function planAround(
  lost: ReadonlySet<MemberId>,
  group: Pick<GroupDocument, 'regions' | 'replicas' | 'voters'>,
  nodes: readonly NodeDocument[],
): readonly MemberId[] {
  if (lost.size === 0) return planVoters(group, nodes);
  const present = planVoters(
    group,
    nodes.filter(({ member }) => !lost.has(member)),
  );
  const allowed = new Set(allowedNodes(group, nodes).map(({ member }) => member));
  const kept = group.voters.filter((member) => lost.has(member) && allowed.has(member));
  return [...present, ...kept].slice(0, group.replicas).sort((left, right) => left - right);
}

/** The meta group votes on up to five nodes spread over the regions, and is followed by all. */
export function planMeta(
  current: readonly MemberId[],
  nodes: readonly NodeDocument[],
  lost: ReadonlySet<MemberId> = new Set(),
): Pick<GroupDocument, 'voters' | 'learners'> {
  const voters = planAround(lost, { regions: undefined, replicas: META_VOTERS, voters: current }, nodes);
  const learners = nodes
    .filter(({ state, member }) => state !== 'removed' && !voters.includes(member))
    .map(({ member }) => member);
  return { voters, learners };
}
