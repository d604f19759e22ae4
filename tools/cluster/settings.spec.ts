import path from 'node:path';
import { readableLine } from './log-line';
import { environmentOf, readSettings } from './settings';

describe('the arguments of npm run cluster', () => {
  test('nothing is the three nodes of the documents', () => {
    const settings = readSettings([]);
    expect(settings?.only).toBeUndefined();
    expect(settings?.nodes).toEqual(
      ['us-west-2', 'eu-west-1', 'ap-southeast-1'].map((region, at) => ({
        name: `node-${at + 1}`,
        region,
        dataDir: path.resolve(`data/cluster/node-${at + 1}`),
        httpPort: 8081 + at,
        adminPort: 9091 + at,
        peerPort: 7401 + at,
      })),
    );
  });

  test('one node can be started by itself, elsewhere', () => {
    const settings = readSettings(['--http-port', '5000', '--data-dir', '/d', 'start', 'node-2']);
    expect(settings?.only).toMatchObject({ name: 'node-2', httpPort: 5001, dataDir: '/d/node-2' });
  });

  test.each([
    [['start']],
    [['start', 'node-4']],
    [['stop', 'node-1']],
    [['start', 'node-1', 'node-2']],
    [['--http-port', '65534']],
    [['--http-port', '0']],
    [['--nats-port', 'x']],
    [['--wings']],
  ])('%j mean nothing', (args) => {
    expect(readSettings(args)).toBeUndefined();
  });

  test('what tells the nodes apart wins over the shell, what does not comes from it', () => {
    const { nodes = [] } = readSettings([]) ?? {};
    const [, node] = nodes;
    if (node === undefined) throw new Error('there is no second node');
    const environment = environmentOf(node, nodes, {
      HTTP_PORT: '1',
      LOG_LEVEL: 'debug',
      CAP_KEY_ACTIVE: 'k',
    });
    expect(environment['CAP_KEY_ACTIVE']).toBeUndefined();
    expect(environment).toMatchObject({
      HTTP_PORT: '8082',
      LOG_LEVEL: 'debug',
      DEV_MODE: 'true',
      NODE_ID: 'node-2',
      CLUSTER_NODES:
        'node-1=127.0.0.1:7401@us-west-2,node-2=127.0.0.1:7402@eu-west-1,node-3=127.0.0.1:7403@ap-southeast-1',
    });
  });
});

test.each([
  ['{"level":"info","time":"2026-11-23T15:18:19.1Z","port":1,"msg":"a b"}', '15:18:19 a b port=1'],
  ['{"level":"warn","time":"2026-11-23T15:18:19.1Z","why":"x y","msg":"a"}', '15:18:19 WARN a why="x y"'],
  ['{"level":"error","err":{"message":"gone","stack":"s"},"msg":"a"}', 'ERROR a err="gone"'],
  ['{"level":"info","err":null,"msg":"a"}', 'a err=null'],
  ['agentstate: HTTP_PORT is taken', 'agentstate: HTTP_PORT is taken'],
  ['{broken', '{broken'],
  ['{"no":"text"}', '{"no":"text"}'],
])('%s reads %s', (line, readable) => {
  expect(readableLine(line)).toBe(readable);
});
