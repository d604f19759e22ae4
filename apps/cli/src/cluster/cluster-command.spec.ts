import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProgram } from '../program';

/** The goal: a person sees how the cluster is, or what to do. The method: the program against a small HTTP server. */
interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly authorization?: string;
  readonly body: string;
}

const STATUS = {
  cluster_id: 'c0ffee',
  node_id: 'node-1',
  region: 'us',
  nodes: [
    { node_id: 'node-1', region: 'us', http_url: 'http://127.0.0.1:8081', alive: true },
    { node_id: 'node-3', region: 'eu', http_url: '', alive: false },
    { node_id: 'node-2', region: 'us', http_url: 'http://127.0.0.1:8082', alive: true },
  ],
  groups: [
    {
      group_id: 0,
      regions: null,
      leader: 'node-1',
      term: 2,
      commit_index: 40,
      applied_index: 40,
      replicas: null,
      under_replicated: false,
      repair: [],
      namespaces: 0,
      members: [
        { node_id: 'node-1', role: 'leader', match_index: 41 },
        { node_id: 'node-3', role: 'follower', match_index: 30 },
      ],
    },
    {
      group_id: 2,
      regions: ['us', 'eu'],
      leader: null,
      term: 3,
      commit_index: 9,
      applied_index: 9,
      replicas: 2,
      under_replicated: true,
      repair: ['adding node-1', 'removing node-3'],
      namespaces: 4,
      members: [],
    },
  ],
};

let server: Server;
let endpoint: string;
let answer: { readonly status: number; readonly text: string };
const asked: Asked[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      asked.push({
        method,
        url,
        authorization: headers.authorization,
        body: Buffer.concat(chunks).toString(),
      });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200, text: JSON.stringify(STATUS) };
});

async function run(
  line: string,
  environment: NodeJS.ProcessEnv = { AGENTSTATE_ENDPOINT: endpoint },
): Promise<{ out: string; err: string; code: number }> {
  let out = '';
  let err = '';
  const code = await runProgram(`cluster ${line}`.split(' '), {
    environment,
    out: (text) => (out += text),
    err: (text) => (err += text),
    nowMs: Date.now,
  });
  return { out, err, code: code ?? 0 };
}

const problem = (status: number, code: string, detail: string): typeof answer => ({
  status,
  text: JSON.stringify({ status, code, detail }),
});

test('status is a table by region, with roles, lag and what is wrong', async () => {
  const { out, err, code } = await run('status');
  expect({ err, code }).toEqual({ err: '', code: 0 });
  expect(out).toBe(`cluster c0ffee, as node-1 sees it

REGION  NODE    ALIVE  URL
eu      node-3  NO     -
us      node-1  yes    http://127.0.0.1:8081
        node-2  yes    http://127.0.0.1:8082

GROUP     REGIONS  NAMESPACES  LEADER  TERM  COMMIT  MEMBER  REGION  ROLE             LAG
0 (meta)  any      -           node-1  2     40      node-1  us      leader           0
                                                     node-3  eu      follower (down)  10
2         us,eu    4           NONE    3     9       -

Not alive: node-3. Start it again, or take it out: agentstate cluster remove-node <node>
Group 2 has no leader: writes wait until a majority of its members is alive.
Group 2 has fewer than 2 live replicas in us, eu: it loses more than it should with the next node.
Repair of group 2: adding node-1, removing node-3.
`);
});

test('status as JSON is what the node answered', async () => {
  expect(JSON.parse((await run('status --output json')).out)).toEqual(STATUS);
});

test('the endpoint and the token come from the options before the environment', async () => {
  const environment = { AGENTSTATE_ENDPOINT: 'http://127.0.0.1:1', AGENTSTATE_TOKEN: 'from-environment' };
  await run(`status --endpoint ${endpoint}/`, environment);
  await run(`status --endpoint ${endpoint} --token given`, environment);
  expect(asked.map(({ url, authorization }) => [url, authorization])).toEqual([
    ['/admin/cluster', 'Bearer from-environment'],
    ['/admin/cluster', 'Bearer given'],
  ]);
});

test('a node that is away is passed over, but what could happen twice is asked once', async () => {
  const environment = { AGENTSTATE_ENDPOINT: `http://127.0.0.1:1,${endpoint}` };
  expect((await run('status --output json', environment)).code).toBe(0);
  asked.length = 0;
  const { code, err } = await run('transfer-leader 1 node-2', environment);
  expect({ code, asked }).toEqual({ code: 1, asked: [] });
  expect(err).toContain('http://127.0.0.1:1');
});

test('remove-node and transfer-leader ask the right thing', async () => {
  answer = { status: 200, text: '{"state":"leaving"}' };
  expect((await run('remove-node a/b')).out).toContain('a/b is leaving');
  expect((await run('transfer-leader 1 node-2')).out).toContain('node-2 was asked');
  expect(asked.map(({ method, url, body }) => [method, url, body])).toEqual([
    ['DELETE', '/admin/cluster/nodes/a%2Fb', ''],
    ['POST', '/admin/cluster/transfer-leader', '{"group_id":1,"node_id":"node-2"}'],
  ]);
});

test.each([
  [
    problem(401, 'token_missing', 'Send a capability.'),
    ['Send a capability.', 'token mint --ns admin://global'],
  ],
  [problem(503, 'no_leader', 'No leader is known.'), ['No leader is known.', 'Retry']],
  [problem(404, 'not_found', 'There is no node named x.'), ['There is no node named x. (not_found)']],
  [{ status: 502, text: '<html>' }, ['answered 502', 'check the endpoint']],
])('%j is a failure that says what to do', async (given, texts) => {
  answer = given;
  const { out, err, code } = await run('remove-node x');
  expect({ out, code }).toEqual({ out: '', code: 1 });
  for (const text of texts) expect(err).toContain(text);
});

test('a node that is not there is a failure that says what to try', async () => {
  const { err, code } = await run('status --endpoint http://127.0.0.1:1');
  expect(code).toBe(1);
  expect(err).toContain('--endpoint');
});

test.each([
  'status --endpoint nowhere',
  'status --endpoint ftp://x',
  'transfer-leader one node-2',
  'remove-node',
  '',
])('"cluster %s" is a usage error', async (line) => {
  const { out, code } = await run(line);
  expect({ out, code }).toEqual({ out: '', code: 2 });
});

test.each(['--help', 'status --help', 'remove-node --help', 'transfer-leader --help'])(
  '%s explains',
  async (line) => {
    expect(await run(line)).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: agentstate cluster') as string,
    });
  },
);
