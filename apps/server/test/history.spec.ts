import { type TestServer, startTestServer } from './test-server';

/** Goal: history, reads of the past and queries of bodies. Method: a real server over the real state machine. */
const NS = '/v1/agent%3A%2F%2Fdemo';
const OBJECTS = `${NS}/objects`;

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.server.stop());

interface Version {
  readonly id: string;
  readonly body?: unknown;
  readonly deleted?: boolean;
  readonly reason?: string;
  readonly commit_seq: number;
  readonly ts: string;
}

const put = async (id: string, json: unknown) =>
  (await test.send('PUT', `${OBJECTS}/${id}`, { json })).json<Version>();
const history = (id: string, query = '') => test.send('GET', `${OBJECTS}/${id}/history${query}`);
const query = (json: unknown, parameters = '') => test.send('POST', `${NS}/query${parameters}`, { json });

describe('history', () => {
  it('lists versions newest first, deletions among them, page by page', async () => {
    const first = await put('h', { body: 1 });
    const second = await put('h', { body: 2 });
    await test.send('DELETE', `${OBJECTS}/h`);
    const third = await put('h', { body: 3, ttl_seconds: 1 });
    await put('ha', { body: 'another' });
    const all = (await history('h')).json<Version[]>();
    expect(all.map(({ body, deleted }) => deleted ?? body)).toEqual([3, true, 2, 1]);
    expect(all[1]).toMatchObject({ id: 'h', ns: 'agent://demo', deleted: true, reason: 'delete' });
    expect([all[0], all[2], all[3]]).toEqual([third, second, first]);
    const paged: Version[] = [];
    for (let cursor = ''; ;) {
      const page = await history('h', `?limit=1${cursor}`);
      paged.push(...page.json<Version[]>());
      const next = page.headers['x-next-cursor'];
      if (next === undefined) break;
      cursor = `&cursor=${String(next)}`;
    }
    expect(paged).toEqual(all);
    const foreign = (await history('h', '?limit=1')).headers['x-next-cursor'];
    for (const [id, cursor] of [
      ['h', 'abc'],
      ['ha', foreign],
    ]) {
      const answer = await history(String(id), `?cursor=${String(cursor)}`);
      expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
    }
    expect((await history('never')).json()).toEqual([]);
  });

  it('gives the object as it was at a position or a time', async () => {
    const first = await put('t', { body: 1 });
    test.engine.skippedMs += 60_000;
    const second = await put('t', { body: 2, ttl_seconds: 30 });
    test.engine.skippedMs += 60_000;
    const other = await put('t2', {});
    const at = async (parameters: string) => {
      const answer = await test.send('GET', `${OBJECTS}/t?${parameters}`);
      return answer.status === 200 ? answer.json().body : answer.status;
    };
    expect(await at(`at_seq=${first.commit_seq}`)).toBe(1);
    expect(await at(`at_seq=${second.commit_seq}`)).toBe(2);
    expect(await at(`at_seq=${other.commit_seq}`)).toBe(404);
    expect(await at(`at_seq=${first.commit_seq - 1}`)).toBe(404);
    expect(await at(`at=${first.ts}`)).toBe(1);
    expect(await at(`at=${second.ts}`)).toBe(2);
    expect(await at(`at=${other.ts}`)).toBe(404);
    expect(await at(`at=${encodeURIComponent('2000-01-01T00:00:00+02:00')}`)).toBe(404);
    const past = await test.send('GET', `${OBJECTS}/t?at_seq=${first.commit_seq}`);
    expect(past.headers.etag).toBe(`"${first.commit_seq}"`);
  });

  it.each([
    'at_seq=0',
    'at_seq=x',
    'at_seq=999999',
    'at=yesterday',
    'at=2026-11-23',
    'at=2026-13-23T10:00:00Z',
    'at_seq=1&at=2026-11-23T10:00:00Z',
  ])('refuses %s', async (parameters) => {
    const answer = await test.send('GET', `${OBJECTS}/t?${parameters}`);
    expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
  });
});

describe('a query of bodies', () => {
  const bodies: Record<string, unknown> = {
    qa: { status: 'open', n: 1, owner: { id: 'x' }, list: [1, 2] },
    qb: { status: 'done', n: 2.5, 'a b': true, list: [] },
    qc: { status: 'open', n: null },
    qd: 'text',
    qe: { status: 5, __proto__x: 1 },
  };
  beforeAll(async () => {
    for (const [id, body] of Object.entries(bodies)) await put(id, { body, type: 'queried' });
  });

  it.each<[Record<string, unknown>, string[]]>([
    [{ '$.status': 'open' }, ['qa', 'qc']],
    [{ '$.status': { eq: 'open' }, '$.n': { gte: 1 } }, ['qa']],
    [{ '$.status': { ne: 'open' } }, ['qb', 'qd', 'qe']],
    [{ '$.n': { gt: 1, lte: 2.5 } }, ['qb']],
    [{ '$.n': null }, ['qc']],
    [{ '$.n': { exists: true } }, ['qa', 'qb', 'qc']],
    [{ '$.n': { exists: false } }, ['qd', 'qe']],
    [{ '$.status': { in: ['done', 5] } }, ['qb', 'qe']],
    [{ '$.status': { lt: 'e' } }, ['qb']],
    [{ "$['a b']": true }, ['qb']],
    [{ '$.owner.id': 'x' }, ['qa']],
    [{ '$.owner': { eq: { id: 'x' } } }, ['qa']],
    [{ '$.list[-1]': 2 }, ['qa']],
    [{ '$.list': [] }, ['qb']],
    [{ $: 'text' }, ['qd']],
    [{ '$.constructor': { exists: true } }, []],
  ])('%j', async (where, ids) => {
    const found = await query({ type: 'queried', where });
    expect(found.json<Version[]>().map(({ id }) => id)).toEqual(ids);
    const paged = await query({ type: 'queried', where, limit: 1, order: '-commit_seq', fields: ['n'] });
    expect(paged.json<Version[]>().map(({ id }) => id)).toEqual(ids.slice(-1));
  });

  it.each([
    [{ status: 1 }, 'character 0'],
    [{ '$.': 1 }, 'character 2'],
    [{ '$..a': 1 }, 'character 1'],
    [{ '$.a[*]': 1 }, 'character 4'],
    [{ '$.a[1:2]': 1 }, 'character 5'],
    [{ '$.a[?@.b]': 1 }, 'character 4'],
    [{ "$['a": 1 }, 'character 4'],
    [{ '$.a[01]': 1 }, 'character 5'],
    [{ '$.a': { like: 'x' } }, 'no operator'],
    [{ '$.a': {} }, 'no operator'],
    [{ '$.a': { gt: true } }, 'number or a string'],
    [{ '$.a': { in: 'x' } }, 'takes a list'],
    [{ '$.a': { exists: 1 } }, 'true or false'],
    [[], 'object'],
  ])('refuses %j', async (where, reason) => {
    const answer = await query({ where });
    expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
    expect(answer.json().detail).toContain(reason);
  });

  it('says when it would go through too much, goes through it when told to, and is explained', async () => {
    const ops = (from: number) =>
      Array.from({ length: 128 }, (_, at) => ({
        op: 'put',
        id: `many-${from + at}`,
        body: { n: from + at },
      }));
    for (let from = 0; from < 10_100; from += 128)
      await test.send('POST', '/v1/many/batch', { json: { ops: ops(from) } });
    const where = { '$.n': { gte: 10_100 } };
    const ask = (json: object, parameters = '') =>
      test.send('POST', `/v1/many/query${parameters}`, { json: { where, ...json } });
    const refused = await ask({});
    expect([refused.status, refused.json().code]).toEqual([400, 'invalid_request']);
    expect(refused.json().detail).toContain('allow_scan=true');
    expect((await ask({ allow_scan: true })).json<Version[]>()).toHaveLength(12);
    expect((await ask({}, '?allow_scan=true')).json<Version[]>()).toHaveLength(12);
    expect((await ask({ prefix: 'many-101' })).json<Version[]>()).toHaveLength(12);
    const explain = async (json: object) =>
      (await test.send('POST', '/admin/explain-query', { json: { ns: 'many', where, ...json } })).json();
    expect(await explain({})).toEqual({
      index: 'objects',
      rows_expected: 10_112,
      compared_paths: ['$.n'],
      building_paths: [],
      allowed: false,
      rows_read: 10_112,
      rows_returned: 12,
    });
    expect(await explain({ prefix: 'many-101' })).toMatchObject({
      rows_expected: 23,
      allowed: true,
      rows_read: 23,
    });
    const byType = { ns: 'agent://demo', type: 'queried', where: { '$.status': 'open' } };
    expect(await explain(byType)).toMatchObject({ index: 'type', rows_read: 5, rows_returned: 2 });
    expect((await test.send('POST', '/admin/explain-query', { json: {} })).status).toBe(400);

    expect(refused.json().detail).toContain('index $.n (');
    test.engine.run({ kind: 'indexes', ns: 'many', paths: ['$.n'] });
    expect((await ask({})).json().detail).toContain('wait until the index of $.n is complete');
    expect(await explain({})).toMatchObject({ index: 'objects', building_paths: ['$.n'], allowed: false });
    for (let step = 0; step < 11; step++)
      test.engine.run({ kind: 'build', ns: 'many', limit: 1_000, limitBytes: 1_000_000 });
    expect((await ask({})).json<Version[]>()).toHaveLength(12);
    expect(await explain({})).toEqual({
      index: 'field $.n',
      rows_expected: 12,
      compared_paths: [],
      building_paths: [],
      allowed: true,
      rows_read: 12,
      rows_returned: 12,
    });
  }, 30_000);
});
