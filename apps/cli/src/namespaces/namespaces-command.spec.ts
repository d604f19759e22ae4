import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProgram } from '../program';

/** The goal: a person pins a namespace and sees where it is. The method: the program against a small HTTP server. */
const PINNED = {
  ns: 'agent://demo',
  regions: ['eu', 'us'],
  replicas: 3,
  read_replicas: { eu: 1 },
  max_qps: 5,
  max_bytes: null,
  history_retention_seconds: 60,
  history_retention_commits: null,
  indexes: ['$.a,b', '$.c'],
  indexes_building: ['$.c'],
  group_id: 2,
  state: 'active',
  under_replicated: true,
};
const SHOWN = `NAMESPACE     REGIONS  REPLICAS         READERS  GROUP  STATE   LIMITS             INDEXES
agent://demo  eu,us    3 (fewer now)    eu=1     2      active  qps=5,history=60s  $.a,b,$.c (building)
`
  .replace('3 (fewer now)    ', '3 (fewer now)  ')
  .replace('REPLICAS         ', 'REPLICAS       ');

let server: Server;
let endpoint: string;
let answer: { readonly status: number; readonly text: string };
const asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`.trim());
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200, text: JSON.stringify(PINNED) };
});

async function run(line: string): Promise<{ out: string; err: string; code: number }> {
  let out = '';
  let err = '';
  const code = await runProgram(`namespaces ${line}`.split(' '), {
    environment: { AGENTSTATE_ENDPOINT: endpoint },
    out: (text) => (out += text),
    err: (text) => (err += text),
    nowMs: Date.now,
  });
  return { out, err, code: code ?? 0 };
}

const PATH = '/admin/namespaces/agent%3A%2F%2Fdemo';

test('set puts what was given and shows what came of it', async () => {
  const line =
    'set agent://demo --regions eu,us --replicas 3 --read-replicas eu=1 --max-qps 5 --history-retention-seconds 60 --index $.a,b --index $.c';
  expect(await run(line)).toEqual({ out: SHOWN, err: '', code: 0 });
  const body =
    '{"regions":["eu","us"],"replicas":3,"read_replicas":{"eu":1},"max_qps":5,"history_retention_seconds":60,"indexes":["$.a,b","$.c"]}';
  expect(asked).toEqual([`PUT ${PATH} ${body}`]);
});

test('list, get and delete', async () => {
  expect((await run('get agent://demo')).out).toBe(SHOWN);
  expect(JSON.parse((await run('get agent://demo --output json')).out)).toEqual(PINNED);
  answer = { status: 200, text: JSON.stringify([PINNED]) };
  expect((await run('list')).out).toBe(SHOWN);
  answer = { status: 200, text: '[]' };
  expect((await run('list')).out).toContain('No namespace was configured');
  answer = { status: 204, text: '' };
  expect(await run('delete agent://demo')).toMatchObject({
    code: 0,
    out: expect.stringContaining('agent://demo') as string,
  });
  expect(asked.slice(-1)).toEqual([`DELETE ${PATH}`]);
});

test('what the server refuses is a failure that says why', async () => {
  const detail = 'regions: no node of the cluster is in the region mars';
  answer = { status: 400, text: JSON.stringify({ status: 400, code: 'invalid_request', detail }) };
  const { err, code } = await run('set agent://demo --regions mars');
  expect([code, err]).toEqual([1, expect.stringContaining(detail)]);
});

test.each(['set', 'set x --replicas many', 'set x --read-replicas eu', 'get', 'delete', ''])(
  '"namespaces %s" is a usage error',
  async (line) => {
    const { out, code } = await run(line);
    expect([out, code, asked]).toEqual(['', 2, []]);
  },
);

test.each(['--help', 'list --help', 'get --help', 'set --help', 'delete --help'])(
  '%s explains',
  async (line) => {
    expect(await run(line)).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: agentstate namespaces') as string,
    });
  },
);
