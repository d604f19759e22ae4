import path from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run cluster -- [options]              three nodes in three regions on this machine
       npm run cluster -- [options] start <node>   one of them by itself, for instance one that was killed

options, each with the value for node-1 (the other two count up from it):
  --data-dir <folder>   where the data lies (default data/cluster)
  --http-port <port>    the API (default 8081)
  --admin-port <port>   health, metrics and administration (default 9091)
  --peer-port <port>    what the nodes say to each other (default 7401)
  --nats-port <port>    the NATS server beside them, where one is installed (default 4222)
`;

/** One node of the cluster, and everything that tells it from the others. */
export interface ClusterNode {
  readonly name: string;
  readonly region: string;
  readonly dataDir: string;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly peerPort: number;
}

export interface ClusterSettings {
  readonly nodes: readonly ClusterNode[];
  readonly natsPort: number;
  /** The one node to start; all when absent. */
  readonly only?: ClusterNode;
}

const REGIONS = ['us-west-2', 'eu-west-1', 'ap-southeast-1'];

/** What the arguments ask for, or `undefined` when they mean nothing. */
export function readSettings(args: readonly string[]): ClusterSettings | undefined {
  const read = parsed(args);
  if (read === undefined) return undefined;
  const { values, positionals } = read;
  const [http, admin, peer] = [values['http-port'], values['admin-port'], values['peer-port']].map(portOf);
  const natsPort = portOf(values['nats-port']);
  if (http === undefined || admin === undefined || peer === undefined) return undefined;
  if (natsPort === undefined) return undefined;
  const nodes = REGIONS.map((region, at) => ({
    name: `node-${at + 1}`,
    region,
    dataDir: path.resolve(values['data-dir'], `node-${at + 1}`),
    httpPort: http + at,
    adminPort: admin + at,
    peerPort: peer + at,
  }));
  if (positionals.length === 0) return { nodes, natsPort };
  const only = nodes.find(({ name }) => name === positionals[1]);
  const isStart = positionals[0] === 'start' && positionals.length === 2 && only !== undefined;
  return isStart ? { nodes, natsPort, only } : undefined;
}

/** What a shell may have set for a node of its own, and that would make these ask for tokens or join another cluster. */
const NOT_FOR_THESE = /^(CAP_KEY_|CLUSTER_JOIN)/;

/**
 * The environment of a node: open, on loopback. What the shell sets beside that (a log level, say, or a NATS server of
 * its own) goes through.
 */
export function environmentOf(
  node: ClusterNode,
  nodes: readonly ClusterNode[],
  shell: NodeJS.ProcessEnv,
  natsUrl?: string,
): NodeJS.ProcessEnv {
  return {
    ...(natsUrl !== undefined && { NATS_URL: natsUrl }),
    ...Object.fromEntries(Object.entries(shell).filter(([name]) => !NOT_FOR_THESE.test(name))),
    DEV_MODE: 'true',
    HTTP_HOST: '127.0.0.1',
    NODE_ID: node.name,
    REGION: node.region,
    DATA_DIR: node.dataDir,
    HTTP_PORT: String(node.httpPort),
    ADMIN_PORT: String(node.adminPort),
    PEER_HOST: '127.0.0.1',
    PEER_PORT: String(node.peerPort),
    CLUSTER_NODES: nodes
      .map(({ name, region, peerPort }) => `${name}=127.0.0.1:${peerPort}@${region}`)
      .join(),
  };
}

type Values = Readonly<Record<'data-dir' | 'http-port' | 'admin-port' | 'peer-port' | 'nats-port', string>>;

function parsed(
  args: readonly string[],
): { readonly values: Values; readonly positionals: readonly string[] } | undefined {
  const option = (value: string) => ({ type: 'string', default: value }) as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'data-dir': option(path.join('data', 'cluster')),
        'http-port': option('8081'),
        'admin-port': option('9091'),
        'peer-port': option('7401'),
        'nats-port': option('4222'),
      },
    });
  } catch {
    return undefined;
  }
}

/** The first of as many ports as there are nodes. */
function portOf(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port + REGIONS.length - 1 <= 65_535 ? port : undefined;
}
