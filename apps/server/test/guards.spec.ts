import { NO_SETTINGS } from '#replication';
import { type SendOptions, type TestServer, startTestServer } from './test-server';

/** Goal: leases, fences and idempotency keys as the contract has them. Method: a real server over the real state machine. */
const NS = '/v1/agent%3A%2F%2Fdemo';
const OBJECTS = `${NS}/objects`;

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.server.stop());

interface Lease {
  readonly key: string;
  readonly owner: string;
  readonly token: number;
  readonly expires_at: string;
}

const lease = (action: string, json: unknown, options: SendOptions = {}) =>
  test.send('POST', `${NS}/lease/${action}`, { json, ...options });
const acquire = (key: string, owner: string, ttl = 30) => lease('acquire', { key, owner, ttl });
const put = (id: string, json: unknown, headers: Record<string, string> = {}) =>
  test.send('PUT', `${OBJECTS}/${id}`, { json, headers });

describe('a lease', () => {
  it('is held by one owner, shown to all, prolonged, and free again', async () => {
    const taken = await acquire('l/1 ü', 'a');
    expect(taken.status).toBe(200);
    const held = taken.json<Lease>();
    expect(held).toMatchObject({ key: 'l/1 ü', owner: 'a' });
    expect(Date.parse(held.expires_at)).toBeGreaterThan(Date.now() + 29_000);
    const refused = await acquire('l/1 ü', 'b');
    expect([refused.status, refused.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'lease_held', owner: 'a', expires_at: held.expires_at }),
    ]);
    expect((await test.send('GET', `${NS}/lease/${encodeURIComponent('l/1 ü')}`)).json()).toEqual(held);
    const renewed = await lease('renew', { key: 'l/1 ü', owner: 'a', token: held.token, ttl: 60 });
    expect(renewed.json()).toMatchObject({ token: held.token });
    expect(Date.parse(renewed.json<Lease>().expires_at)).toBeGreaterThan(Date.parse(held.expires_at));
    const released = await lease('release', { key: 'l/1 ü', owner: 'a', token: held.token });
    expect([released.status, released.text]).toEqual([204, '']);
    expect((await test.send('GET', `${NS}/lease/${encodeURIComponent('l/1 ü')}`)).status).toBe(404);
    expect((await acquire('l/1 ü', 'b')).json<Lease>().token).toBeGreaterThan(held.token);
  });

  it('ends with its time, and whoever had it is told', async () => {
    const first = (await acquire('e', 'a', 1)).json<Lease>();
    expect((await acquire('e', 'b')).status).toBe(409);
    test.engine.skippedMs += 1_001;
    const second = (await acquire('e', 'b')).json<Lease>();
    expect(second.token).toBeGreaterThan(first.token);
    for (const [action, more] of [
      ['renew', { ttl: 5 }],
      ['release', {}],
    ] as const) {
      const lost = await lease(action, { key: 'e', owner: 'a', token: first.token, ...more });
      expect([lost.status, lost.json().code, lost.json().owner]).toEqual([409, 'lease_lost', 'b']);
    }
    const foreign = await lease('renew', { key: 'e', owner: 'a', token: second.token, ttl: 5 });
    expect(foreign.json().code).toBe('lease_lost');
  });

  it('may be taken again by its owner, whose old token is stale from then on', async () => {
    const first = (await acquire('again', 'a')).json<Lease>();
    const second = (await acquire('again', 'a')).json<Lease>();
    expect(second.token).toBeGreaterThan(first.token);
    expect((await lease('renew', { key: 'again', owner: 'a', token: first.token, ttl: 5 })).status).toBe(409);
  });

  it.each([
    [{ key: 'k', owner: 'a', ttl: 0 }, 'ttl'],
    [{ key: 'k', owner: 'a', ttl: 315_360_000 }, 'ttl'],
    [{ key: 'k', owner: 'a', ttl: 1.5 }, 'ttl'],
    [{ key: 'k', owner: 'a' }, 'ttl'],
    [{ key: '', owner: 'a', ttl: 1 }, 'key'],
    [{ key: 'k', owner: '', ttl: 1 }, 'owner'],
    [{ key: 'k', owner: 'o'.repeat(257), ttl: 1 }, 'owner'],
    [{ key: 'k', owner: null, ttl: 1 }, 'owner'],
    [{ key: 'k', owner: 'a', ttl: 1, token: 3 }, 'token'],
  ])('is not given for %j', async (json, field) => {
    const answer = await lease('acquire', json);
    const problem = answer.json<{ code: string; errors: { field: string }[] }>();
    expect([answer.status, problem.code, problem.errors[0]?.field]).toEqual([400, 'invalid_request', field]);
    expect((await test.send('GET', `${NS}/lease/k`)).status).toBe(404);
  });
});

describe('what is out of bounds', () => {
  /** Everything that a client can see, and the position that a change would move. */
  const everything = async (token: number): Promise<unknown> => {
    const objects = await test.send('GET', OBJECTS);
    const held = await test.send('GET', `${NS}/lease/bounds`);
    const fenced = await put('fence', {}, { 'if-resource': 'bounds', 'if-fence': String(token + 1) });
    expect(fenced.json().code).toBe('fence_stale');
    return [objects.headers['x-commit-seq'], objects.json(), held.json()];
  };

  it.each<[string, string, unknown, Record<string, string>]>([
    [
      'a batch with the same id twice',
      '/batch',
      {
        ops: [
          { op: 'put', id: 'x' },
          { op: 'delete', id: 'x' },
        ],
      },
      {},
    ],
    [
      '129 operations',
      '/batch',
      { ops: Array.from({ length: 129 }, (_, at) => ({ op: 'put', id: `x${at}` })) },
      {},
    ],
    ['a lease of 0 s', '/lease/acquire', { key: 'l', owner: 'a', ttl: 0 }, {}],
    ['a lease of 10 years', '/lease/acquire', { key: 'l', owner: 'a', ttl: 315_360_000 }, {}],
    ['a lease prolonged by 0 s', '/lease/renew', { key: 'bounds', owner: 'a', token: 0, ttl: 0 }, {}],
    [
      'a lease prolonged by 10 years',
      '/lease/renew',
      { key: 'bounds', owner: 'a', token: 0, ttl: 315_360_000 },
      {},
    ],
    ['an idempotency key of 256 characters', '/objects', { id: 'x' }, { 'idempotency-key': 'k'.repeat(256) }],
    [
      'the same of a batch',
      '/batch',
      { ops: [{ op: 'put', id: 'x' }] },
      { 'idempotency-key': 'k'.repeat(256) },
    ],
  ])('%s is a 400 and changes nothing', async (_name, path, json, headers) => {
    await put('there', { body: 1 });
    const { token } = (await acquire('bounds', 'a', 60)).json<Lease>();
    const before = await everything(token);
    const body = { ...(json as object), ...('token' in (json as object) ? { token } : {}) };
    const answer = await test.send('POST', `${NS}${path}`, { json: body, headers });
    expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
    expect(await everything(token)).toEqual(before);
    // The longest key that is allowed is taken.
    expect((await put('there', {}, { 'idempotency-key': 'k'.repeat(255) })).status).toBe(200);
  });
});

describe('a token that no lease ever had', () => {
  it.each([0, Number.MAX_SAFE_INTEGER])('is stale: %d', async (token) => {
    for (const key of ['never', 'held']) {
      if (key === 'held') await acquire(key, 'a');
      const fenced = await put('fenced', {}, { 'if-resource': key, 'if-fence': String(token) });
      expect([key, fenced.status, fenced.json().code]).toEqual([key, 409, 'fence_stale']);
      const renewed = await lease('renew', { key, owner: 'a', token, ttl: 5 });
      expect([key, renewed.status, renewed.json().code]).toEqual([key, 409, 'lease_lost']);
      const released = await lease('release', { key, owner: 'a', token });
      expect([key, released.status, released.json().code]).toEqual([key, 409, 'lease_lost']);
    }
  });
});

describe('a condition in the headers', () => {
  const refused = (path: string, json: unknown, headers: Record<string, string>) =>
    test.send('POST', `${NS}${path}`, { json, headers });
  const OPS = { ops: [{ op: 'put', id: 'conditional' }] };
  const LEASE = { key: 'conditional', owner: 'a' };

  it.each<[string, unknown, Record<string, string>]>([
    ['/batch', OPS, { 'if-match': '"1"' }],
    ['/batch', OPS, { 'if-none-match': '*' }],
    ['/lease/acquire', { ...LEASE, ttl: 5 }, { 'if-match': '"1"' }],
    ['/lease/acquire', { ...LEASE, ttl: 5 }, { 'if-none-match': '*' }],
    ['/lease/acquire', { ...LEASE, ttl: 5 }, { 'if-resource': 'x', 'if-fence': '1' }],
    ['/lease/renew', { ...LEASE, ttl: 5, token: 1 }, { 'if-fence': '1' }],
    ['/lease/release', { ...LEASE, token: 1 }, { 'if-resource': 'x' }],
  ])('is refused where it has no meaning: %s %j %j', async (path, json, headers) => {
    const before = test.engine.commands.length;
    const answer = await refused(path, json, headers);
    const problem = answer.json<{ code: string; errors: { field: string }[] }>();
    expect([answer.status, problem.code, problem.errors[0]?.field]).toEqual([
      400,
      'invalid_request',
      Object.keys(headers)[0],
    ]);
    expect(test.engine.commands.length).toBe(before);
  });

  it('of a batch is told where it belongs', async () => {
    const answer = await refused('/batch', OPS, { 'if-match': '"1"' });
    expect(answer.json().detail).toMatch(/^if-match: .*each operation.* if_match/);
  });
});

describe('a fence', () => {
  it('lets a write happen only under the current token', async () => {
    const { token } = (await acquire('büro', 'a')).json<Lease>();
    const resource = Buffer.from('büro').toString('latin1');
    const fence = { 'if-resource': resource, 'if-fence': String(token) };
    expect((await put('fenced', { body: 1 }, fence)).status).toBe(200);
    const patched = await test.send('PATCH', `${OBJECTS}/fenced`, {
      json: { body: 2 },
      headers: { ...fence, 'content-type': 'application/merge-patch+json' },
    });
    expect(patched.status).toBe(200);
    test.engine.skippedMs += 31_000;
    const late = await put('fenced', { body: 3 }, fence);
    expect([late.status, late.json().code]).toEqual([409, 'fence_stale']);
    const next = (await acquire('büro', 'b')).json<Lease>();
    expect((await put('fenced', { body: 4 }, fence)).status).toBe(409);
    const gone = await test.send('DELETE', `${OBJECTS}/fenced`, { headers: fence });
    expect([gone.status, gone.json().code]).toEqual([409, 'fence_stale']);
    const batch = await test.send('POST', `${NS}/batch`, {
      json: { ops: [{ op: 'put', id: 'other' }] },
      headers: fence,
    });
    expect(batch.json().code).toBe('fence_stale');
    expect((await test.send('GET', `${OBJECTS}/fenced`)).json().body).toBe(2);
    const current = { 'if-resource': resource, 'if-fence': String(next.token) };
    expect((await put('fenced', { body: 5 }, current)).status).toBe(200);
  });

  it.each([
    [{ 'if-resource': 'x' }, 'if-fence'],
    [{ 'if-fence': '1' }, 'if-resource'],
    [{ 'if-resource': 'x', 'if-fence': '-1' }, 'if-fence'],
    [{ 'if-resource': 'x', 'if-fence': '00' }, 'if-fence'],
    [{ 'if-resource': 'x', 'if-fence': 'abc' }, 'if-fence'],
    [{ 'if-resource': 'x'.repeat(513), 'if-fence': '1' }, 'if-resource'],
    [{ 'if-resource': '\u00ff', 'if-fence': '1' }, 'if-resource'],
  ])('has to be whole: %j', async (headers, field) => {
    const answer = await put('half-fenced', {}, headers);
    expect([answer.status, answer.json<{ errors: { field: string }[] }>().errors[0]?.field]).toEqual([
      400,
      field,
    ]);
  });
});

describe('an idempotency key', () => {
  it('gives the first answer again, byte by byte', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await put('i', { body: 1, tags: { a: '1', b: '2' } }, headers);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    await put('i', { body: 2 });
    const again = await put('i', { tags: { b: '2', a: '1' }, body: 1 }, headers);
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.headers.etag).toBe(first.headers.etag);
    expect((await test.send('GET', `${OBJECTS}/i`)).json().body).toBe(2);
    const other = await put('i', { body: 3 }, headers);
    expect([other.status, other.json().code]).toEqual([422, 'idempotency_key_reused']);
    expect((await put('j', { body: 1, tags: { a: '1', b: '2' } }, headers)).status).toBe(422);
  });

  it('works for objects whose id is made, for deletes, patches, batches, leases and refusals', async () => {
    const post = () =>
      test.send('POST', OBJECTS, { json: { body: 'made' }, headers: { 'idempotency-key': 'post' } });
    const [first, again] = [await post(), await post()];
    expect(again.text).toBe(first.text);
    const requests: [string, string, SendOptions, number][] = [
      ['DELETE', `${OBJECTS}/${String(first.json().id)}`, {}, 204],
      [
        'POST',
        `${NS}/batch`,
        {
          json: {
            ops: [
              { op: 'put', body: 1 },
              { op: 'put', id: 'y' },
            ],
          },
        },
        200,
      ],
      [
        'PATCH',
        `${OBJECTS}/y`,
        { json: { body: 1 }, headers: { 'content-type': 'application/merge-patch+json' } },
        200,
      ],
      ['POST', `${NS}/lease/acquire`, { json: { key: 'once', owner: 'a', ttl: 9 } }, 200],
      ['DELETE', `${OBJECTS}/nothing`, {}, 404],
      ['PUT', `${OBJECTS}/y`, { json: {}, headers: { 'if-match': '"1"' } }, 412],
    ];
    for (const [at, [method, path, options, status]] of requests.entries()) {
      const headers = { ...options.headers, 'idempotency-key': `many-${at}`, 'x-request-id': 'same' };
      const one = await test.send(method, path, { ...options, headers });
      const two = await test.send(method, path, { ...options, headers });
      expect([method, one.status, two.status, two.text]).toEqual([method, status, status, one.text]);
      expect(two.headers['idempotency-replayed']).toBe('true');
    }
  });

  it('belongs to what is asked for, not to the limits of the token or of the namespace', async () => {
    await put('limited', {});
    const patch = { json: { body: { n: 1 } }, headers: { 'content-type': 'application/merge-patch+json' } };
    const batch = { json: { ops: [{ op: 'patch', id: 'limited', patch: { body: { m: 2 } } }] } };
    const send = (method: string, path: string, options: SendOptions) =>
      test.send(method, path, {
        ...options,
        headers: { ...options.headers, 'idempotency-key': `limits-${method}` },
      });
    const first = await send('PATCH', `${OBJECTS}/limited`, patch);
    const firstBatch = await send('POST', `${NS}/batch`, batch);
    test.engine.namespaces.known.set('agent://demo', { ...NO_SETTINGS, maxBytes: 2_000 });
    try {
      const again = await send('PATCH', `${OBJECTS}/limited`, patch);
      expect([again.status, again.text]).toEqual([200, first.text]);
      const againBatch = await send('POST', `${NS}/batch`, batch);
      expect([againBatch.status, againBatch.text]).toEqual([200, firstBatch.text]);
    } finally {
      test.engine.namespaces.known.delete('agent://demo');
    }
  });

  it('is forgotten after a day, and kept for each namespace by itself', async () => {
    const headers = { 'idempotency-key': 'daily' };
    const first = await put('d', { body: 1 }, headers);
    const elsewhere = await test.send('PUT', '/v1/other/objects/d', { json: { body: 2 }, headers });
    expect(elsewhere.status).toBe(200);
    test.engine.skippedMs += 86_399_000;
    expect((await put('d', { body: 1 }, headers)).text).toBe(first.text);
    test.engine.skippedMs += 2_000;
    const later = await put('d', { body: 1 }, headers);
    expect(later.headers['idempotency-replayed']).toBeUndefined();
    expect(later.text).not.toBe(first.text);
  });

  it.each(['', 'k'.repeat(256), '\u00fc', 'a\tb'])('of another form is refused: %j', async (key) => {
    const before = test.engine.commands.length;
    const answer = await put('keyed', {}, { 'idempotency-key': key });
    const problem = answer.json<{ errors: { field: string }[] }>();
    expect([answer.status, problem.errors[0]?.field]).toEqual([400, 'idempotency-key']);
    expect(test.engine.commands.length).toBe(before);
  });
});
