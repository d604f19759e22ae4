import { type TestServer, startTestServer } from './test-server';

const OBJECTS = '/v1/agent%3A%2F%2Fdemo/objects';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.server.stop());

describe('objects', () => {
  it('puts an object and gives it back, with the headers of the contract', async () => {
    const sent = { type: 'task', body: { progress: 0.1 }, tags: { priority: 'high' }, ttl_seconds: 3600 };
    const put = await test.send('PUT', `${OBJECTS}/task-1`, { json: sent });
    expect(put.status).toBe(200);
    const object = put.json<{ commit_seq: number }>();
    expect(object).toMatchObject({ id: 'task-1', ns: 'agent://demo', ...sent });
    expect(put.headers.etag).toBe(`"${object.commit_seq}"`);
    expect(put.headers['x-commit-seq']).toBe(String(object.commit_seq));
    expect(put.headers['x-agentstate-node']).toBe('node-1');
    expect(put.headers['x-agentstate-region']).toBe('local');
    expect(put.headers['content-type']).toMatch(/^application\/json/);
    const got = await test.send('GET', `${OBJECTS}/task-1`, { headers: { 'x-request-id': 'mine-1' } });
    expect(got.status).toBe(200);
    expect(got.text).toBe(put.text);
    expect(got.headers.etag).toBe(put.headers.etag);
    expect(got.headers['x-request-id']).toBe('mine-1');
  });

  it('answers HEAD as GET, without the body', async () => {
    const put = await test.send('PUT', `${OBJECTS}/head`, { json: { body: 'ü' } });
    const head = await test.send('HEAD', `${OBJECTS}/head`);
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers.etag).toBe(put.headers.etag);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(put.text)));
    expect((await test.send('HEAD', `${OBJECTS}/none`)).status).toBe(404);
  });

  it('posts with the id of the body, and makes a ULID without one', async () => {
    const named = await test.send('POST', OBJECTS, { json: { id: 'named' } });
    expect(named.status).toBe(200);
    expect(named.json()).toMatchObject({ id: 'named', type: 'object', tags: {}, body: null });
    const made = await test.send('POST', OBJECTS, { json: { body: 1 } });
    expect(made.json().id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('deletes once, and answers 404 after that', async () => {
    await test.send('PUT', `${OBJECTS}/gone`, { json: {} });
    const first = await test.send('DELETE', `${OBJECTS}/gone`);
    expect([first.status, first.text]).toEqual([204, '']);
    expect(first.headers['x-commit-seq']).toMatch(/^\d+$/);
    expect((await test.send('DELETE', `${OBJECTS}/gone`)).status).toBe(404);
    expect((await test.send('GET', `${OBJECTS}/gone`)).json().code).toBe('not_found');
  });

  it('lists in pages and queries', async () => {
    const path = '/v1/agent:%2F%2Flisted/objects';
    for (const id of ['a', 'b', 'c']) await test.send('PUT', `${path}/${id}`, { json: {} });
    const first = await test.send('GET', `${path}?limit=2`);
    expect(first.json<{ id: string }[]>().map(({ id }) => id)).toEqual(['a', 'b']);
    const cursor = String(first.headers['x-next-cursor']);
    const second = await test.send('GET', `${path}?limit=2&cursor=${cursor}&consistency=stale&min_seq=1`);
    expect(second.json<{ id: string }[]>().map(({ id }) => id)).toEqual(['c']);
    expect(second.headers['x-next-cursor']).toBeUndefined();
    const found = await test.send('POST', '/v1/agent:%2F%2Flisted/query', { json: { prefix: 'b' } });
    expect(found.json<{ id: string }[]>().map(({ id }) => id)).toEqual(['b']);
  });

  it('keeps ids of any characters apart', async () => {
    const ids = ['a/b', 'ü/%2F', '..', '.', '%', '%25', 'a b', 'a+b', '💾', "';--", 'a?b#c', 'x'.repeat(512)];
    for (const id of ids) {
      const put = await test.send('PUT', `${OBJECTS}/${encodeURIComponent(id)}`, { json: { body: id } });
      expect([id, put.status, put.json().id]).toEqual([id, 200, id]);
    }
    for (const id of ids) {
      expect((await test.send('GET', `${OBJECTS}/${encodeURIComponent(id)}`)).json().body).toBe(id);
    }
  });

  it('checks preconditions', async () => {
    const path = `${OBJECTS}/guarded`;
    const created = await test.send('PUT', path, { json: {}, headers: { 'if-none-match': '*' } });
    expect(created.status).toBe(200);
    const again = await test.send('PUT', path, { json: {}, headers: { 'if-none-match': '*' } });
    expect([again.status, again.json().code]).toEqual([412, 'precondition_failed']);
    expect(again.json().current_commit_seq).toBe(Number(created.headers['x-commit-seq']));
    const changed = await test.send('PUT', path, {
      json: {},
      headers: { 'if-match': String(created.headers.etag) },
    });
    expect(changed.status).toBe(200);
    for (const header of ['*', '12', 'W/"12"', '"1", "2"', '"99999999999999999"']) {
      const refused = await test.send('PUT', path, { json: {}, headers: { 'if-match': header } });
      expect([header, refused.status]).toEqual([header, 400]);
    }
  });

  it('stores __proto__ and constructor in body and tags as data', async () => {
    const text =
      '{"body":{"__proto__":{"polluted":true},"constructor":{"prototype":1}},"tags":{"__proto__":"x","constructor":"y"}}';
    const put = await test.send('PUT', `${OBJECTS}/proto`, { body: text });
    expect(put.status).toBe(200);
    expect(put.text).toContain('"body":{"__proto__":{"polluted":true},"constructor":{"prototype":1}}');
    expect(put.text).toContain('"tags":{"__proto__":"x","constructor":"y"}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const refused = await test.send('PUT', `${OBJECTS}/proto`, { body: '{"__proto__":{"id":"x"}}' });
    expect(refused.json().code).toBe('invalid_request');
  });
});
