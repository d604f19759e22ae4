import { type SendOptions, type TestServer, claims, KEY, mint, startTestServer } from './test-server';

/** Goal: patches and batches as the contract has them. Method: a real server over the real state machine. */
const NS = '/v1/agent%3A%2F%2Fdemo';
const OBJECTS = `${NS}/objects`;
const MERGE = { 'content-type': 'application/merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer({ MAX_BODY_BYTES: '65536' });
});
afterAll(() => test.server.stop());

const put = (id: string, json: unknown) => test.send('PUT', `${OBJECTS}/${id}`, { json });
const patch = (id: string, json: unknown, headers: Record<string, string> = MERGE) =>
  test.send('PATCH', `${OBJECTS}/${id}`, { json, headers });
const batch = (ops: unknown, options: SendOptions = {}) =>
  test.send('POST', `${NS}/batch`, { json: { ops }, ...options });
const bodyOf = async (id: string) => (await test.send('GET', `${OBJECTS}/${id}`)).json().body;

describe('PATCH', () => {
  it('merges into body, tags, type and time to live, and keeps the rest', async () => {
    const parents = ['p'];
    await put('m', {
      type: 'task',
      body: { a: 1, b: { c: [1], d: 2 } },
      tags: { x: '1', y: '2' },
      ttl_seconds: 60,
      parents,
    });
    const changes = { body: { a: null, b: { c: [] }, e: 0.5 }, tags: { x: null, z: '3' }, ttl_seconds: null };
    const answer = await patch('m', changes);
    expect(answer.status).toBe(200);
    const object = answer.json<{ commit_seq: number; created_seq: number }>();
    const body = { b: { c: [], d: 2 }, e: 0.5 };
    expect(object).toMatchObject({ id: 'm', type: 'task', body, tags: { y: '2', z: '3' }, parents });
    expect(object).not.toHaveProperty('ttl_seconds');
    expect(object.created_seq).toBeLessThan(object.commit_seq);
    expect(answer.headers.etag).toBe(`"${object.commit_seq}"`);
    expect((await test.send('GET', `${OBJECTS}/m`)).text).toBe(answer.text);
  });

  it('applies the operations of a JSON Patch in order, or none', async () => {
    await put('j', { body: { list: [1, 2], status: 'open' } });
    const done = await patch(
      'j',
      [
        { op: 'test', path: '/body/status', value: 'open' },
        { op: 'replace', path: '/body/status', value: 'done' },
        { op: 'add', path: '/body/list/-', value: 3 },
        { op: 'add', path: '/tags/a~1b', value: 'c' },
      ],
      JSON_PATCH,
    );
    expect(done.json()).toMatchObject({ body: { list: [1, 2, 3], status: 'done' }, tags: { 'a/b': 'c' } });
    const failed = await patch(
      'j',
      [
        { op: 'remove', path: '/body/list' },
        { op: 'test', path: '/body/status', value: 'open' },
      ],
      JSON_PATCH,
    );
    expect([failed.status, failed.json().code]).toEqual([412, 'precondition_failed']);
    expect(failed.json().current_commit_seq).toBe(done.json().commit_seq);
    const lost = await patch('j', [{ op: 'replace', path: '/body/none', value: 1 }], JSON_PATCH);
    expect([lost.status, lost.json().code]).toEqual([409, 'conflict']);
    expect(await bodyOf('j')).toEqual({ list: [1, 2, 3], status: 'done' });
  });

  it('is 404 where there is no object, and heeds preconditions', async () => {
    expect((await patch('none', {})).status).toBe(404);
    const first = await put('c', { body: 1 });
    await put('c', { body: 2 });
    const stale = await patch('c', { body: 3 }, { ...MERGE, 'if-match': String(first.headers.etag) });
    expect([stale.status, stale.json().code]).toEqual([412, 'precondition_failed']);
    expect((await patch('c', { body: 3 }, { ...MERGE, 'if-none-match': '*' })).status).toBe(412);
    expect(await bodyOf('c')).toBe(2);
  });

  it.each<[unknown, Record<string, string>, number, string, string | null]>([
    [5, MERGE, 400, 'invalid_request', 'body'],
    [[], MERGE, 400, 'invalid_request', 'body'],
    [{ id: 'y' }, MERGE, 400, 'invalid_request', 'id'],
    [{ tags: { a: 1 } }, MERGE, 400, 'invalid_request', 'tags'],
    [{ tags: 'x' }, MERGE, 400, 'invalid_request', 'tags'],
    [{ type: '' }, MERGE, 400, 'invalid_request', 'type'],
    [{ ttl_seconds: 0 }, MERGE, 400, 'invalid_request', 'ttl_seconds'],
    [{ body: {} }, { 'content-type': 'application/json' }, 415, 'unsupported_media_type', null],
    [{}, JSON_PATCH, 400, 'invalid_request', 'body'],
    [[{ op: 'add', path: '/body' }], JSON_PATCH, 400, 'invalid_request', '[0].value'],
    [
      [
        { op: 'test', path: '/body', value: 1 },
        { op: 'delete', path: '/body' },
      ],
      JSON_PATCH,
      400,
      'invalid_request',
      '[1].op',
    ],
    [[{ op: 'remove', path: 'body' }], JSON_PATCH, 400, 'invalid_request', '[0].path'],
    [[{ op: 'remove', path: '/a~2' }], JSON_PATCH, 400, 'invalid_request', '[0].path'],
    [[{ op: 'move', path: '/body/a', from: '/body' }], JSON_PATCH, 400, 'invalid_request', '[0].path'],
    [[{ op: 'copy', path: '/body/a' }], JSON_PATCH, 400, 'invalid_request', '[0].from'],
    [[{ op: 'add', path: '/id', value: 'y' }], JSON_PATCH, 400, 'invalid_request', 'id'],
    [[{ op: 'replace', path: '', value: [] }], JSON_PATCH, 400, 'invalid_request', 'body'],
    [[{ op: 'remove', path: '' }], JSON_PATCH, 409, 'conflict', null],
    [[{ op: 'add', path: '/body/9', value: 1 }], JSON_PATCH, 409, 'conflict', null],
    [
      Array.from({ length: 1_001 }, () => ({ op: 'remove', path: '/x' })),
      JSON_PATCH,
      400,
      'invalid_request',
      'body',
    ],
  ])('refuses %j', async (json, headers, status, code, field) => {
    const before = await put('bad', { body: [1], tags: { a: 'b' } });
    const answer = await patch('bad', json, headers);
    const problem = answer.json<{ code: string; errors?: { field: string }[] }>();
    expect([answer.status, problem.code, problem.errors?.[0]?.field ?? null]).toEqual([status, code, field]);
    expect((await test.send('GET', `${OBJECTS}/bad`)).text).toBe(before.text);
  });

  it('never makes an object that a put could not', async () => {
    const half = 'x'.repeat(40_000);
    await put('big', { body: { a: half } });
    const answer = await patch('big', { body: { b: half } });
    expect([answer.status, answer.json().code, answer.json().limit_bytes]).toEqual([
      413,
      'payload_too_large',
      65_536,
    ]);
    const grow = Array.from({ length: 60 }, (_, at) => ({
      op: 'copy',
      from: '/body',
      path: `/body/${at}`,
    }));
    await put('deep', { body: { a: 1 } });
    const deeper = await patch('deep', grow, JSON_PATCH);
    expect([deeper.status, deeper.json().code]).toEqual([409, 'conflict']);
    expect(await bodyOf('deep')).toEqual({ a: 1 });
  });

  it('takes __proto__ as a member like any other', async () => {
    await put('p', { body: {} });
    const headers = MERGE;
    const body = '{"body":{"__proto__":{"x":{"y":1}},"constructor":1}}';
    await test.send('PATCH', `${OBJECTS}/p`, { body, headers });
    const merged = await test.send('PATCH', `${OBJECTS}/p`, {
      body: '{"body":{"__proto__":{"x":{"z":2}}}}',
      headers,
    });
    expect(merged.text).toContain('"body":{"__proto__":{"x":{"y":1,"z":2}},"constructor":1}');
    const added =
      '[{"op":"add","path":"/body/__proto__/w","value":3},{"op":"test","path":"/body/__proto__/x/z","value":2}]';
    const patched = await test.send('PATCH', `${OBJECTS}/p`, { body: added, headers: JSON_PATCH });
    expect(patched.text).toContain('"__proto__":{"x":{"y":1,"z":2},"w":3}');
    expect(({} as Record<string, unknown>).w).toBeUndefined();
  });
});

describe('POST /batch', () => {
  it('does everything at one position and answers in order', async () => {
    const a = (await put('ba', { body: { n: 1 } })).json<{ commit_seq: number }>();
    await put('bd', {});
    const answer = await batch([
      { op: 'put', id: 'bn', type: 'task', body: 'new', if_none_match: true },
      { op: 'patch', id: 'ba', patch: { body: { m: 2 } }, if_match: a.commit_seq },
      { op: 'delete', id: 'bd' },
      { op: 'check', id: 'gone', if_none_match: '*' },
      { op: 'put', body: 'without id' },
    ]);
    expect(answer.status).toBe(200);
    const { commit_seq: seq, results } = answer.json<{
      commit_seq: number;
      results: Record<string, unknown>[];
    }>();
    expect(answer.headers['x-commit-seq']).toBe(String(seq));
    expect(results).toEqual([
      expect.objectContaining({ id: 'bn', type: 'task', body: 'new', commit_seq: seq }),
      expect.objectContaining({ id: 'ba', body: { n: 1, m: 2 }, commit_seq: seq }),
      { id: 'bd', deleted: true, commit_seq: seq },
      { id: 'gone', checked: true },
      expect.objectContaining({ id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string, commit_seq: seq }),
    ]);
    const only = await batch([{ op: 'check', id: 'bn', if_match: `"${seq}"` }]);
    expect(only.json()).toMatchObject({ results: [{ id: 'bn', checked: true, commit_seq: seq }] });
  });

  it.each([
    [[{ op: 'delete', id: 'none' }], 404, 'not_found'],
    [[{ op: 'check', id: 'none' }], 412, 'precondition_failed'],
    [[{ op: 'check', id: 'kept', if_match: 1_000_000 }], 412, 'precondition_failed'],
    [[{ op: 'put', id: 'kept', if_none_match: true }], 412, 'precondition_failed'],
    [
      [{ op: 'patch', id: 'kept', patch: [{ op: 'test', path: '/body', value: 1 }] }],
      412,
      'precondition_failed',
    ],
    [[{ op: 'patch', id: 'kept', patch: [{ op: 'remove', path: '/body/x' }] }], 409, 'conflict'],
    [[{ op: 'patch', id: 'kept', patch: { ttl_seconds: -1 } }], 400, 'invalid_request'],
    [[{ op: 'put', id: 'new' }], 400, 'invalid_request'],
  ])('does nothing when one operation cannot be done: %j', async (more, status, code) => {
    await put('kept', { body: 'as it was' });
    const seq = (await test.send('GET', `${OBJECTS}/kept`)).headers['x-commit-seq'];
    const answer = await batch([{ op: 'put', id: 'new', body: 1 }, ...more]);
    expect([answer.status, answer.json().code]).toEqual([status, code]);
    expect(answer.json<{ errors: { field: string }[] }>().errors[0]?.field).toMatch(/^ops\[1\]/);
    expect((await test.send('GET', `${OBJECTS}/new`)).status).toBe(404);
    expect((await test.send('GET', `${OBJECTS}/kept`)).headers['x-commit-seq']).toBe(seq);
  });

  it.each([
    [undefined, 'ops'],
    [[], 'ops'],
    [Array.from({ length: 129 }, (_, at) => ({ op: 'put', id: `x${at}` })), 'ops'],
    [[{ id: 'x' }], 'ops[0].op'],
    [[{ op: 'get', id: 'x' }], 'ops[0].op'],
    [['put'], 'ops[0].op'],
    [[{ op: 'delete' }], 'ops[0].id'],
    [[{ op: 'put', id: 'x', patch: {} }], 'ops[0].patch'],
    [[{ op: 'patch', id: 'x' }], 'ops[0].patch'],
    [[{ op: 'patch', id: 'x', patch: 5 }], 'ops[0].patch'],
    [[{ op: 'patch', id: 'x', patch: { ns: 1 } }], 'ops[0].patch.ns'],
    [[{ op: 'patch', id: 'x', patch: [{ op: 'add', path: '' }] }], 'ops[0].patch[0].value'],
    [[{ op: 'put', id: 'x', if_match: -1 }], 'ops[0].if_match'],
    [[{ op: 'put', id: 'x', if_match: 1, if_none_match: true }], 'ops[0].if_none_match'],
    [[{ op: 'put', id: 'x', tags: { a: 1 } }], 'ops[0].tags'],
  ])('names what is wrong in %j', async (ops, field) => {
    const before = test.engine.commands.length;
    const answer = await batch(ops);
    expect([answer.status, answer.json<{ errors: { field: string }[] }>().errors[0]?.field]).toEqual([
      400,
      field,
    ]);
    expect(test.engine.commands.length).toBe(before);
  });

  it('takes 128 operations', async () => {
    const answer = await batch(Array.from({ length: 128 }, (_, at) => ({ op: 'put', id: `many-${at}` })));
    expect(answer.json<{ results: unknown[] }>().results).toHaveLength(128);
  });

  it('needs DELETE for deletes and GET for checks beside PUT', async () => {
    const keyed = await startTestServer({ CAP_KEY_ACTIVE_ID: 'active', CAP_KEY_ACTIVE: KEY });
    try {
      const send = (ops: string[], op: unknown) =>
        keyed.send('POST', `${NS}/batch`, { json: { ops: [op] }, token: mint(claims({ ops })) });
      expect((await send(['PUT'], { op: 'put', id: 'x' })).status).toBe(200);
      for (const [granted, op, status] of [
        [['GET', 'DELETE'], { op: 'put', id: 'x' }, 403],
        [['PUT', 'GET'], { op: 'delete', id: 'x' }, 403],
        [['PUT', 'DELETE'], { op: 'check', id: 'x' }, 403],
        [['PUT', 'GET'], { op: 'check', id: 'x' }, 200],
        [['PUT', 'DELETE'], { op: 'delete', id: 'x' }, 200],
      ] as const) {
        expect([granted, (await send([...granted], op)).status]).toEqual([granted, status]);
      }
    } finally {
      await keyed.server.stop();
    }
  });
});
