import { type Row, table } from './table';

/** What `GET /admin/cluster` answers, as far as it is shown here. */
export interface ClusterStatus {
  readonly cluster_id: string;
  readonly node_id: string;
  readonly nodes: readonly {
    readonly node_id: string;
    readonly region: string;
    readonly http_url: string;
    readonly alive: boolean;
  }[];
  readonly groups: readonly {
    readonly group_id: number;
    readonly regions: readonly string[] | null;
    readonly leader: string | null;
    readonly term: number;
    readonly commit_index: number;
    readonly replicas: number | null;
    readonly under_replicated: boolean;
    readonly repair: readonly string[];
    readonly namespaces: number;
    readonly members: readonly {
      readonly node_id: string;
      readonly role: string;
      readonly match_index: number | null;
    }[];
  }[];
}

/** The cluster as a person reads it: nodes by region, groups with their members, and below what is wrong. */
export function explainStatus(status: ClusterStatus): string {
  const parts = [
    `cluster ${status.cluster_id}, as ${status.node_id} sees it\n`,
    table([['REGION', 'NODE', 'ALIVE', 'URL'], ...nodeRows(status)]),
    table([
      ['GROUP', 'REGIONS', 'NAMESPACES', 'LEADER', 'TERM', 'COMMIT', 'MEMBER', 'REGION', 'ROLE', 'LAG'],
      ...status.groups.flatMap((group) => groupRows(group, status)),
    ]),
  ];
  const troubles = troublesOf(status);
  return [...parts, ...(troubles.length > 0 ? [`${troubles.join('\n')}\n`] : [])].join('\n');
}

function nodeRows({ nodes }: ClusterStatus): readonly Row[] {
  const sorted = [...nodes].sort(
    (left, right) => compare(left.region, right.region) || compare(left.node_id, right.node_id),
  );
  return sorted.map(({ region, node_id: name, alive, http_url: url }, at) => [
    sorted[at - 1]?.region === region ? '' : region,
    name,
    alive ? 'yes' : 'NO',
    url || '-',
  ]);
}

function groupRows(group: ClusterStatus['groups'][number], { nodes }: ClusterStatus): readonly Row[] {
  const head = [
    group.group_id === 0 ? '0 (meta)' : String(group.group_id),
    group.regions?.join(',') ?? 'any',
    group.group_id <= 1 ? '-' : String(group.namespaces),
    group.leader ?? 'NONE',
    String(group.term),
    String(group.commit_index),
  ];
  const members = group.members.map(({ node_id: name, role, match_index: match }) => {
    const node = nodes.find(({ node_id: id }) => id === name);
    const isDown = node?.alive === false;
    const lag = match === null ? '?' : String(Math.max(0, group.commit_index - match));
    return [name, node?.region ?? '?', isDown ? `${role} (down)` : role, lag];
  });
  if (members.length === 0) return [[...head, '-', '', '', '']];
  return members.map((member, at) => [...(at === 0 ? head : head.map(() => '')), ...member]);
}

function troublesOf({ nodes, groups }: ClusterStatus): readonly string[] {
  const down = nodes.filter(({ alive }) => !alive).map(({ node_id: name }) => name);
  const leaderless = groups.filter(({ leader }) => leader === null).map((group) => group.group_id);
  return [
    ...(down.length > 0
      ? [
          `Not alive: ${down.join(', ')}. Start it again, or take it out: agentstate cluster remove-node <node>`,
        ]
      : []),
    ...leaderless.map(
      (group) => `Group ${group} has no leader: writes wait until a majority of its members is alive.`,
    ),
    ...groups
      .filter((group) => group.under_replicated)
      .map(
        ({ group_id: group, replicas, regions }) =>
          `Group ${group} has fewer than ${replicas} live replicas${regions === null ? '' : ` in ${regions.join(', ')}`}: it loses more than it should with the next node.`,
      ),
    ...groups
      .filter(({ repair }) => repair.length > 0)
      .map(({ group_id: group, repair }) => `Repair of group ${group}: ${repair.join(', ')}.`),
  ];
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
