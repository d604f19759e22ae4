import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { TargetProcess } from '../target-process';
import { getObject, putObject } from '../workload';
import { freePorts } from './free-ports';
import { agreedLeader, type ThreeNodes } from './three-nodes';

/** The group that holds the namespace of the workload. */
const GROUP = 1;

interface ClusterView {
  readonly groups: readonly { readonly group_id: number; readonly leader: string | null }[];
}

/** Three nodes of this project in dev mode, whose data lie under `folder`. */
export async function agentstateNodes(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ThreeNodes> {
  const names = ['node-1', 'node-2', 'node-3'];
  const peerPorts = await freePorts(3);
  const members = names.map((name, at) => `${name}=127.0.0.1:${peerPorts[at]}@local`).join(',');
  const secret = randomBytes(32).toString('base64');
  const start = (at: number): Promise<TargetProcess> =>
    TargetProcess.server(path.join(folder, names[at] ?? ''), {
      NODE_ID: names[at],
      PEER_HOST: '127.0.0.1',
      PEER_PORT: `${peerPorts[at]}`,
      CLUSTER_NODES: members,
      CLUSTER_SECRET: secret,
      ...environment,
    });
  const nodes = await Promise.all([0, 1, 2].map(start));
  const leaderSeenBy = async (at: number): Promise<number | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${nodes[at]?.port}/admin/cluster`);
    const view = (await answer.json()) as ClusterView;
    const leader = view.groups.find(({ group_id: group }) => group === GROUP)?.leader;
    const place = names.indexOf(leader ?? '');
    return place < 0 ? undefined : place;
  };
  return {
    name: 'agentstate',
    nodes,
    put: putObject,
    get: getObject,
    leader: () => agreedLeader(leaderSeenBy),
    restart: async (at) => {
      nodes[at] = await start(at);
    },
    kill: async () => {
      await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    },
  };
}
