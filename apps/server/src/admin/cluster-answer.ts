import type { MemberId } from '#contracts';
import type { ClusterView as EngineView, GroupView, ReplicaStatus } from '#replication';
import type { ClusterGroupView, ClusterView, GroupMemberView } from './cluster.view';

type Role = ReplicaStatus['role'];
type Replica = GroupView['replicas'][number];

const ROLES: Readonly<Record<Role, string>> = {
  leader: 'leader',
  follower: 'follower',
  learner: 'learner',
  candidate: 'candidate',
  preCandidate: 'pre_candidate',
};

/** The cluster in the names that go on the wire: member ids become node ids. */
export function clusterAnswer(
  view: EngineView,
  self: { readonly nodeId: string; readonly region: string },
): ClusterView {
  const names = new Map<MemberId, string>(view.nodes.map(({ member, name }) => [member, name]));
  names.set(view.member, self.nodeId);
  // A member is in a group's configuration before this node has read its name.
  const nameOf = (member: MemberId): string => names.get(member) ?? `member-${member}`;
  return {
    cluster_id: view.clusterId,
    node_id: self.nodeId,
    region: self.region,
    nodes: view.nodes
      .filter(({ state }) => state !== 'removed')
      .map(({ name, region, httpUrl, alive }) => ({ node_id: name, region, http_url: httpUrl, alive })),
    groups: view.groups.map((group) => groupAnswer(group, nameOf)),
  };
}

function groupAnswer(group: GroupView, nameOf: (member: MemberId) => string): ClusterGroupView {
  const { leader, replicas } = group;
  const known = leader === undefined ? replicas : [leader];
  const highest = (value: (replica: ReplicaStatus) => number): number => Math.max(0, ...known.map(value));
  const leading = leader && replicas.find(({ role, term }) => role === 'leader' && term === leader.term);
  return {
    group_id: group.group,
    regions: group.regions ?? null,
    leader: leading === undefined ? null : nameOf(leading.member),
    term: highest(({ term }) => term),
    commit_index: highest(({ commit }) => commit),
    applied_index: highest(({ applied }) => applied),
    members: membersOf(group).map((member) => memberAnswer(group, member, nameOf)),
  };
}

/** The members that the leader's configuration names; without a leader, those of the newest one that is known. */
function membersOf({ leader, replicas }: GroupView): readonly MemberId[] {
  const newest = leader ?? [...replicas].sort((left, right) => right.applied - left.applied)[0];
  if (newest === undefined) return [];
  const { voters, votersOutgoing, learners, learnersNext } = newest.configuration;
  return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])].sort(
    (left, right) => left - right,
  );
}

function memberAnswer(
  { leader, replicas }: GroupView,
  member: MemberId,
  nameOf: (member: MemberId) => string,
): GroupMemberView {
  const replica: Replica | undefined = replicas.find((one) => one.member === member);
  const configuration = leader?.configuration ?? replicas[0]?.configuration;
  const follows = configuration?.learners.includes(member) ? 'learner' : 'follower';
  return {
    node_id: nameOf(member),
    role: replica === undefined ? follows : ROLES[replica.role],
    match_index: leader?.matches.find((one) => one.member === member)?.match ?? null,
  };
}
