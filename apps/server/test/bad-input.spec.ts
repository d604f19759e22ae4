import { type TestServer, startTestServer } from './test-server';

const OBJECTS = '/v1/agent%3A%2F%2Fdemo/objects';
const LIMIT_BYTES = 4_096;

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer({ MAX_BODY_BYTES: String(LIMIT_BYTES) });
});
afterAll(() => test.server.stop());

/** Sends one body to one object and gives status, code and the fields that were named. */
async function put(body: string | Buffer, headers: Record<string, string> = {}) {
  const answer = await test.send('PUT', `${OBJECTS}/x`, { body, headers });
  if (answer.status === 200) return { status: 200 };
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = answer.json<{ code: string; status: number; errors?: { field: string }[] }>();
  expect(problem.status).toBe(answer.status);
  expect(problem).toMatchObject({ request_id: answer.headers['x-request-id'] });
  return { status: answer.status, code: problem.code, fields: problem.errors?.map(({ field }) => field) };
}

const ofBytes = (bytes: number): string => `{"body":"${'x'.repeat(bytes - 11)}"}`;

describe('a body', () => {
  it.each([
    '{',
    '{"body":',
    '[1,',
    '{"a":1}}',
    '{"body":01}',
    "{'body':1}",
    '\u0000',
    '{"body":NaN}',
    'nul',
    '"\ud800',
  ])('that is broken JSON is invalid_json: %j', async (body) => {
    expect(await put(body)).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  it('that is not UTF-8 is invalid_json', async () => {
    expect(await put(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  it('that is empty, or no object, is refused', async () => {
    expect(await put('')).toMatchObject({ status: 400, code: 'invalid_json' });
    for (const body of ['null', '[]', '1', '"x"']) {
      expect(await put(body)).toMatchObject({ status: 400, code: 'invalid_request', fields: ['body'] });
    }
  });

  it('may nest to the limit and not deeper', async () => {
    const nested = (depth: number): string => `{"body":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect((await put(nested(256))).status).toBe(200);
    expect(await put(nested(257))).toMatchObject({ status: 400, code: 'invalid_request' });
    const big = await startTestServer();
    try {
      const answer = await big.send('PUT', `${OBJECTS}/x`, { body: nested(10_000) });
      expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
      const broken = await big.send('PUT', `${OBJECTS}/x`, { body: '['.repeat(100_000) });
      expect([broken.status, broken.json().code]).toEqual([400, 'invalid_json']);
    } finally {
      await big.server.stop();
    }
  });

  it('may be as large as the limit and not one byte larger, with and without Content-Length', async () => {
    expect((await put(ofBytes(LIMIT_BYTES))).status).toBe(200);
    for (const chunked of [false, true]) {
      const answer = await test.send('PUT', `${OBJECTS}/x`, { body: ofBytes(LIMIT_BYTES + 1), chunked });
      expect([answer.status, answer.json().code]).toEqual([413, 'payload_too_large']);
      expect(answer.json().limit_bytes).toBe(LIMIT_BYTES);
      const fits = await test.send('PUT', `${OBJECTS}/x`, { body: ofBytes(LIMIT_BYTES), chunked });
      expect(fits.status).toBe(200);
    }
  });

  it('that is too large does not harm the next request of the connection', async () => {
    const body = ofBytes(LIMIT_BYTES + 50_000);
    const both = await test.sendRaw(
      `PUT ${OBJECTS}/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}` +
        `GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    expect(both).toMatch(/^HTTP\/1\.1 413 /);
    expect(both).toMatch(/HTTP\/1\.1 200 OK[^]*ok$/);
  });

  it('that stops half way is never stored', async () => {
    const before = test.engine.commands.length;
    const answer = await test.sendRaw(
      `PUT ${OBJECTS}/half HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"body":1}`,
      { endAfter: true },
    );
    expect(answer).toMatch(/^(?:HTTP\/1\.1 400 [^]*"code":"invalid_request"|$)/);
    expect(test.engine.commands.length).toBe(before);
    expect((await test.send('GET', `${OBJECTS}/half`)).status).toBe(404);
  });

  it('needs to be declared as JSON', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/merge-patch+json',
      'x',
    ]) {
      expect(await put('{}', { 'content-type': type })).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      });
    }
    expect((await put('{}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
    const untyped = await test.sendRaw(
      `PUT ${OBJECTS}/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(untyped).toMatch(/^HTTP\/1\.1 415 [^]*"code":"unsupported_media_type"/);
  });
});

describe('a field', () => {
  it.each([
    ['{"bodyy":1}', 'bodyy'],
    ['{"id":""}', 'id'],
    ['{"id":"a\\u0000b"}', 'id'],
    ['{"id":"a\\u0085b"}', 'id'],
    [`{"id":"${'x'.repeat(513)}"}`, 'id'],
    [`{"id":"${'ü'.repeat(257)}"}`, 'id'],
    ['{"id":5}', 'id'],
    ['{"type":""}', 'type'],
    ['{"type":{}}', 'type'],
    ['{"tags":[]}', 'tags'],
    ['{"tags":{"a":1}}', 'tags'],
    [`{"tags":{"a":"${'x'.repeat(257)}"}}`, 'tags'],
    [`{"tags":{${Array.from({ length: 65 }, (_, i) => `"${i}":""`).join()}}}`, 'tags'],
    ['{"ttl_seconds":0}', 'ttl_seconds'],
    ['{"ttl_seconds":-1}', 'ttl_seconds'],
    ['{"ttl_seconds":1.5}', 'ttl_seconds'],
    ['{"ttl_seconds":"60"}', 'ttl_seconds'],
    ['{"parents":"x"}', 'parents'],
    ['{"parents":[1]}', 'parents'],
    ['{"body":{"a":[1,9007199254740993]}}', 'body.a[1]'],
    ['{"body":1e400}', 'body'],
    ['{"body":{"n":0.12345678901234567891}}', 'body.n'],
    ['{"body":{"k":"\\ud800"}}', 'body.k'],
    ['{"body":{"\\udc00":1}}', 'body'],
    ['{"tags":{"a":"\\ud83d"}}', 'tags.a'],
  ])('that is not valid is named: %s', async (body, field) => {
    expect(await put(body)).toEqual({ status: 400, code: 'invalid_request', fields: [field] });
  });

  it.each([
    '0.1',
    '1e3',
    '1.50',
    '-0.0',
    '9007199254740992',
    '1E+2',
    '1e22',
    '5e-324',
    '0.30000000000000004',
    '"\\ud83d\\ude00"',
  ])('may be what a double holds: %s', async (value) => {
    const answer = await test.send('PUT', `${OBJECTS}/number`, { body: `{"body":${value}}` });
    expect(answer.status).toBe(200);
    expect(answer.json().body).toEqual(JSON.parse(value === '-0.0' ? '0' : value));
  });
});

describe('a path', () => {
  it.each([
    '/v1/..%2Fx/objects/a',
    '/v1/a%00/objects/a',
    '/v1/%2Fa/objects/a',
    '/v1/a%20b/objects/a',
    `/v1/${'n'.repeat(256)}/objects/a`,
    `/v1/${'n'.repeat(10_240)}/objects/a`,
    '/v1/a/objects/x%00',
    '/v1/a/objects/x%7F',
    '/v1/a/objects/x%C2%80',
    `/v1/a/objects/${'x'.repeat(513)}`,
    `/v1/a/objects/${'x'.repeat(10_240)}`,
    '/v1/a/objects/%ff',
    '/v1/a/objects/%E0%A4%A',
    '/v1/a/objects/%ED%A0%80',
    '/v1/a/objects/%',
  ])('that is not valid is invalid_request: %.60s', async (path) => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await test.send(method, path, method === 'PUT' ? { json: {} } : {});
      expect([method, answer.status, answer.json().code]).toEqual([method, 400, 'invalid_request']);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.headers['x-agentstate-node']).toBe('node-1');
    }
  });

  it('may have dots in a namespace, as the pattern allows', async () => {
    expect((await test.send('PUT', '/v1/a..b/objects/x', { json: {} })).status).toBe(200);
  });

  it('to a reserved namespace is denied', async () => {
    const answer = await test.send('PUT', '/v1/admin%3A%2F%2Fglobal/objects/x', { json: {} });
    expect([answer.status, answer.json().code]).toEqual([403, 'namespace_denied']);
  });

  it('that is unknown is 404, with a body of any type', async () => {
    for (const path of ['/', '/v1', '/v1/a', '/v2/a/objects', '/v1/a/objects/b/c', '/V1/a/objects/b']) {
      const answer = await test.send('POST', path, { body: 'x', headers: { 'content-type': 'text/plain' } });
      expect([path, answer.status, answer.json().code]).toEqual([path, 404, 'not_found']);
    }
  });

  it('with another method is 405 with Allow', async () => {
    const answer = await test.send('PUT', OBJECTS, { json: {} });
    expect([answer.status, answer.json().code]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.allow).toBe('GET, HEAD, POST');
    expect((await test.send('POST', '/health', { json: {} })).status).toBe(405);
  });

  it.each([
    ['GET', '/admin/snapshot', 'POST'],
    ['GET', '/admin/trim-wal?snapshot_id=x', 'POST'],
    ['POST', '/admin/cluster', 'GET, HEAD'],
    ['PUT', '/admin/cluster/nodes/node-1', 'DELETE'],
    ['DELETE', '/admin/namespaces', 'GET, HEAD'],
    ['POST', '/admin/namespaces/agent%3A%2F%2Fdemo', 'DELETE, GET, HEAD, PUT'],
    ['PATCH', '/admin/snapshot', 'POST'],
  ])('of an operator with another method is 405 with Allow: %s %s', async (method, path, allow) => {
    const answer = await test.send(method, path, method === 'POST' ? { body: 'not JSON' } : {});
    expect([answer.status, answer.json().code]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.allow).toBe(allow);
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE'])('of an operator that is unknown is 404: %s', async (method) => {
    for (const path of ['/admin/snapshot/x', '/admin/none', '/admin/']) {
      const answer = await test.send(method, path);
      expect([path, answer.status, answer.json().code]).toEqual([path, 404, 'not_found']);
    }
  });

  it.each([
    'limt=1',
    'limit=0',
    'limit=1001',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'consistency=fast',
    'min_seq=1',
    'prefix=%ff',
  ])('with a query parameter that is not valid is invalid_request: %s', async (query) => {
    const answer = await test.send('GET', `${OBJECTS}?${query}`);
    expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
  });
});

describe('what is not HTTP', () => {
  it.each([
    ['garbage\r\n\r\n', 400],
    [`GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 400],
    ['GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400],
    ['BREW /health HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['PROPFIND /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 405],
    ['GET * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404],
  ])('is answered with a problem: %.40j', async (text, status) => {
    const answer = await test.sendRaw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer.toLowerCase()).toContain('x-agentstate-region: local');
    expect(answer).toContain('"request_id":');
  });
});

describe('an error of the engine', () => {
  afterEach(() => {
    test.engine.failure = undefined;
  });

  it('that is not expected shows nothing of itself', async () => {
    test.engine.failure = new Error('secret path /var/lib/x');
    const answer = await test.send('GET', `${OBJECTS}/x`);
    expect([answer.status, answer.json().code]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('secret');
  });
});
