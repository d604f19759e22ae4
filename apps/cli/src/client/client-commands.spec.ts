import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from '../program';

/** The goal: a person gets what they asked for, or is told what to do. The method: the program, a small HTTP server. */
interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const OBJECT = {
  id: 'task-1',
  ns: 'agent://demo',
  type: 'task',
  body: { status: 'running' },
  tags: { priority: 'high' },
  commit_seq: 12,
};
const NS = '/v1/agent%3A%2F%2Fdemo';

let server: Server;
let endpoint: string;
let folder: string;
let answer: { status: number; text: string; headers?: Record<string, string> };
const asked: Asked[] = [];
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'agentstate-cli-'));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(answer.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200, text: JSON.stringify(OBJECT) };
});

async function run(
  args: readonly string[],
  { isInteractive = false, environment = { AGENTSTATE_ENDPOINT: endpoint } } = {},
): Promise<{ out: string; err: string; code: number }> {
  let out = '';
  let err = '';
  const terminal = {
    environment,
    isInteractive,
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    nowMs: Date.now,
  };
  const code = await runProgram(args, terminal);
  return { out, err, code: code ?? 0 };
}

const put = (...more: readonly string[]): readonly string[] => ['put', 'agent://demo', 'task-1', ...more];

test.each([
  [put('{"a":1}'), 'PUT', '/objects/task-1', { body: { a: 1 } }],
  [
    put('"x"', '--type', 't', '--tag', 'a=b=c', '--tag', 'd=', '--ttl', '2m'),
    'PUT',
    '/objects/task-1',
    { body: 'x', type: 't', tags: { a: 'b=c', d: '' }, ttl_seconds: 120 },
  ],
  [['get', 'agent://demo', 'a/b', '--at-seq', '5'], 'GET', '/objects/a%2Fb?at_seq=5', undefined],
  [['patch', 'agent://demo', 'x', '{"body":{"a":null}}'], 'PATCH', '/objects/x', { body: { a: null } }],
  [
    ['lease', 'acquire', 'agent://demo', 'k', '--owner', 'w', '--ttl', '60'],
    'POST',
    '/lease/acquire',
    { key: 'k', owner: 'w', ttl: 60 },
  ],
  [
    ['lease', 'renew', 'agent://demo', 'k', '--owner', 'w', '--fence', '7'],
    'POST',
    '/lease/renew',
    { key: 'k', owner: 'w', token: 7, ttl: 30 },
  ],
  [['lease', 'show', 'agent://demo', 'k'], 'GET', '/lease/k', undefined],
])('%j asks for %s %s, and prints the answer as one line of JSON', async (args, method, url, body) => {
  const { out, err, code } = await run(args);
  expect({ err, code, lines: out.split('\n').length }).toEqual({ err: '', code: 0, lines: 2 });
  expect(JSON.parse(out)).toEqual(OBJECT);
  expect(asked.map((one) => [one.method, one.url])).toEqual([[method, NS + url]]);
  if (body !== undefined) expect(JSON.parse(asked[0]?.body ?? '')).toEqual(body);
});

test('conditions go into headers', async () => {
  await run(put('1', '--if-match', '12'));
  await run(put('1', '--create'));
  expect(asked.map(({ headers }) => [headers['if-match'], headers['if-none-match']])).toEqual([
    ['"12"', undefined],
    [undefined, '*'],
  ]);
});

test('a body comes from a file, too', async () => {
  const file = path.join(folder, 'body.json');
  writeFileSync(file, '{"from":"file"}');
  await run(put('--file', file));
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ body: { from: 'file' } });
});

test('delete says what was deleted', async () => {
  answer = { status: 204, text: '', headers: { 'x-commit-seq': '14' } };
  const { out } = await run(['delete', 'agent://demo', 'task-1']);
  expect(JSON.parse(out)).toEqual({ deleted: true, id: 'task-1', commit_seq: 14 });
});

test('the endpoint and the token come from the options before the environment', async () => {
  const environment = { AGENTSTATE_ENDPOINT: 'http://127.0.0.1:1', AGENTSTATE_TOKEN: 'from-environment' };
  await run(['get', 'n', 'a', '--endpoint', endpoint], { environment });
  await run(['get', 'n', 'a', '--endpoint', endpoint, '--token', 'given'], { environment });
  expect(asked.map(({ headers }) => headers['authorization'])).toEqual([
    'Bearer from-environment',
    'Bearer given',
  ]);
});

test('a query is made of conditions, or given whole', async () => {
  answer = { status: 200, text: JSON.stringify([OBJECT]) };
  const { out } = await run([
    ...[
      'query',
      'agent://demo',
      '{"type":"task"}',
      '--tag',
      'p=high',
      '--where',
      '$.a.b>=1',
      '--where',
      '$.s=x y',
    ],
    ...['--where', '$.a.b<5', '--fields', 'a,s', '--order=-commit_seq', '--limit', '5'],
  ]);
  expect(JSON.parse(out)).toEqual(OBJECT);
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
    type: 'task',
    tags: { p: 'high' },
    where: { '$.a.b': { gte: 1, lt: 5 }, '$.s': { eq: 'x y' } },
    fields: ['a', 's'],
    order: '-commit_seq',
    limit: 5,
  });
});

test('a list on a terminal is a table, and strangers cannot move its cursor', async () => {
  answer = { status: 200, text: JSON.stringify([OBJECT, { ...OBJECT, id: 'a\u001b[2J', tags: {} }]) };
  const { out } = await run(['list', 'agent://demo'], { isInteractive: true });
  expect(out).toBe(`ID      TYPE  VERSION  TAGS           BODY
task-1  task  12       priority=high  {"status":"running"}
a�[2J   task  12       -              {"status":"running"}
`);
});

test('a watch prints events as they come, one JSON object a line', async () => {
  const event = {
    type: 'PUT',
    ns: 'agent://demo',
    id: 'task-1',
    commit_seq: 12,
    ts: '2026-11-23T09:00:00.000Z',
  };
  answer = {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    text: `id: 12\ndata: ${JSON.stringify({ ...event, object: OBJECT })}\n\n`,
  };
  const line = ['watch', 'agent://demo', '--after', '11', '--limit', '1'];
  const piped = await run(line);
  expect(JSON.parse(piped.out)).toEqual({ ...event, object: OBJECT });
  expect(asked[0]?.headers['last-event-id']).toBe('11');
  const shown = await run(line, { isInteractive: true });
  expect(shown.out).toBe(
    '09:00:00.000  \u001b[32mPUT     \u001b[0m       12  task-1  {"status":"running"}\n',
  );
});

test.each([
  [401, 'token_missing', {}, ['--token', 'token mint']],
  [403, 'operation_denied', {}, ['token mint']],
  [404, 'not_found', {}, ['There is none. (not_found)']],
  [412, 'precondition_failed', { current_commit_seq: 15 }, ['The version now is 15']],
  [409, 'lease_held', { owner: 'w', expires_at: '2026' }, ['w holds it until 2026']],
  [451, 'region_not_allowed', { allowed_regions: ['eu'] }, ['Ask a node of eu', '--endpoint']],
  [400, 'invalid_request', { errors: [{ field: 'id', reason: 'too long' }] }, ['id: too long']],
])('%d %s is a failure that says what to do', async (status, code, extras, texts) => {
  answer = { status, text: JSON.stringify({ status, code, detail: 'There is none.', ...extras }) };
  const { out, err, code: exit } = await run(['get', 'agent://demo', 'x']);
  expect({ out, exit }).toEqual({ out: '', exit: 1 });
  for (const text of texts) expect(err).toContain(text);
  expect(err).not.toContain('    at ');
});

test('something that is no node is told', async () => {
  answer = { status: 404, text: '<html>' };
  expect((await run(['get', 'n', 'x'])).err).toContain('check the endpoint');
});

test.each([
  [['put', 'n', 'a', 'not json']],
  [['put', 'n', 'a', '1', '--tag', 'x']],
  [['put', 'n', 'a', '1', '--create', '--if-match', '1']],
  [['put', 'n', 'a', '1', '--if-match', 'x']],
  [['put', 'n', 'a', '1', '--ttl', 'long']],
  [['patch', 'n', 'a', '5']],
  [['get', 'n']],
  [['get', 'n', '..']],
  [['get', 'n', 'a', '--endpoint', 'nowhere']],
  [['get', 'n', 'a', '--token', 'a b']],
  [['get', 'n', 'a', '--output', 'xml']],
  [['query', 'n', '[]']],
  [['query', 'n', '--where', 'status=x']],
  [['watch', 'n', '--initial', '--after', '1']],
  [['lease', 'renew', 'n', 'k']],
  [['completion', 'fish']],
])('%j is a usage error, and nothing is sent', async (args) => {
  const { out, err, code } = await run(args);
  expect({ out, code, asked }).toEqual({ out: '', code: 2, asked: [] });
  expect(err).not.toBe('');
});

test.each(['get', 'put', 'patch', 'delete', 'list', 'query', 'watch', 'lease', 'completion'])(
  '%s --help explains, with examples',
  async (name) => {
    const { out, code } = await run([name, '--help']);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('Examples:') as string });
  },
);
