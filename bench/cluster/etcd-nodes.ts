import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { TargetProcess } from '../target-process';
import { requestBody, type LoadRequest } from '../workload';
import { freePorts } from './free-ports';
import { agreedLeader, type ThreeNodes } from './three-nodes';

/** What is installed here, or `undefined`. */
export function etcdVersion(): string | undefined {
  const { error, stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  return error === undefined ? /etcd Version: (\S+)/.exec(stdout)?.[1] : undefined;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const keyOf = (key: number): string => base64(`object-${key}`);

/** The same bytes as a value, over the JSON gateway: etcd has no other way in over HTTP/1.1. */
const put = (key: number): LoadRequest => ({
  method: 'POST',
  path: '/v3/kv/put',
  body: JSON.stringify({ key: keyOf(key), value: base64(requestBody(key)) }),
});

/** Linearizable, because `serializable` is not set. */
const get = (key: number): LoadRequest => ({
  method: 'POST',
  path: '/v3/kv/range',
  body: JSON.stringify({ key: keyOf(key) }),
});

/** Three etcd nodes with its defaults (heartbeat 100 ms, election 1 s), whose data lie under `folder`. */
export async function etcdNodes(folder: string): Promise<ThreeNodes> {
  const ports = await freePorts(6);
  const names = ['etcd-1', 'etcd-2', 'etcd-3'];
  const clientPort = (at: number): number => ports[at] ?? NaN;
  const peerUrl = (at: number): string => `http://127.0.0.1:${ports[at + 3]}`;
  const members = names.map((name, at) => `${name}=${peerUrl(at)}`).join(',');
  const start = (at: number): Promise<TargetProcess> => {
    const port = clientPort(at);
    const url = `http://127.0.0.1:${port}`;
    const name = names[at] ?? '';
    const options = {
      name,
      'data-dir': path.join(folder, name),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl(at),
      'initial-advertise-peer-urls': peerUrl(at),
      'initial-cluster': members,
      'initial-cluster-state': 'new',
    };
    const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
    return TargetProcess.program('etcd', args, { port, healthPath: '/health' });
  };
  const nodes = await Promise.all([0, 1, 2].map(start));
  const status = async (at: number): Promise<{ member: string; leader: string }> => {
    const url = `http://127.0.0.1:${clientPort(at)}/v3/maintenance/status`;
    const answer = await fetch(url, { method: 'POST', body: '{}' });
    const { header, leader } = (await answer.json()) as { header: { member_id: string }; leader: string };
    return { member: header.member_id, leader };
  };
  const memberIds = await Promise.all([0, 1, 2].map(async (at) => (await status(at)).member));
  return {
    name: 'etcd',
    nodes,
    put,
    get,
    leader: () =>
      agreedLeader(async (at) => {
        const place = memberIds.indexOf((await status(at)).leader);
        return place < 0 ? undefined : place;
      }),
    restart: async (at) => {
      nodes[at] = await start(at);
    },
    kill: async () => {
      await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    },
  };
}
