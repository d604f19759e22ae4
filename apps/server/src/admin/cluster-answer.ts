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
  const alive = new Set(view.nodes.filter((node) => node.alive).map(({ member }) => member));
  return {
    cluster_id: view.clusterId,
    node_id: self.nodeId,
    region: self.region,
    nodes: view.nodes
      .filter(({ state }) => state !== 'removed')
      .map(({ name, region, httpUrl, alive }) => ({ node_id: name, region, http_url: httpUrl, alive })),
    groups: view.groups.map((group) => groupAnswer(group, nameOf, alive)),
  };
}

function groupAnswer(
  group: GroupView,
  nameOf: (member: MemberId) => string,
  alive: ReadonlySet<MemberId>,
): ClusterGroupView {
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
    replicas: group.wanted?.replicas ?? null,
    under_replicated: group.wanted !== undefined && liveVoters(group, alive).length < group.wanted.replicas,
    repair: repairsOf(group, nameOf),
    namespaces: group.namespaces,
    members: membersOf(group).map((member) => memberAnswer(group, member, nameOf)),
  };
}

function liveVoters(group: GroupView, alive: ReadonlySet<MemberId>): readonly MemberId[] {
  return (newestOf(group)?.configuration.voters ?? []).filter((member) => alive.has(member));
}

/** What is still to be done until the group is held by those who should hold it. */
function repairsOf(group: GroupView, nameOf: (member: MemberId) => string): readonly string[] {
  const { wanted } = group;
  if (wanted?.forming === true) return ['forming'];
  const configuration = newestOf(group)?.configuration;
  if (wanted === undefined || configuration === undefined) return [];
  const { voters, learners } = configuration;
  const named = (verb: string, members: readonly MemberId[]): string[] =>
    members.map((member) => `${verb} ${nameOf(member)}`);
  const goes = [...voters, ...learners].filter(
    (member) => ![...wanted.voters, ...wanted.learners].includes(member),
  );
  return [
    ...named(
      'adding',
      wanted.voters.filter((member) => !voters.includes(member)),
    ),
    ...named(
      'adding reader',
      wanted.learners.filter((member) => !learners.includes(member)),
    ),
    ...named('removing', goes),
  ];
}

function newestOf({ leader, replicas }: GroupView): ReplicaStatus | undefined {
  return leader ?? [...replicas].sort((left, right) => right.applied - left.applied)[0];
}

/** The members that the leader's configuration names; without a leader, those of the newest one that is known. */
function membersOf(group: GroupView): readonly MemberId[] {
  const newest = newestOf(group);
  if (newest === undefined) return [];
  const { voters, votersOutgoing, learners, learnersNext } = newest.configuration;
  return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])].sort(
    (left, right) => left - right,
  );
}

function memberAnswer(
  group: GroupView,
  member: MemberId,
  nameOf: (member: MemberId) => string,
): GroupMemberView {
  const { leader, replicas } = group;
  const replica: Replica | undefined = replicas.find((one) => one.member === member);
  // A replica that has just begun does not know itself that it only learns.
  const isLearner = newestOf(group)?.configuration.learners.includes(member) === true;
  return {
    node_id: nameOf(member),
    role: isLearner ? 'learner' : replica === undefined ? 'follower' : ROLES[replica.role],
    match_index: leader?.matches.find((one) => one.member === member)?.match ?? null,
  };
}
