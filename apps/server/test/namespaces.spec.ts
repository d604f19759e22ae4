import { StateError } from '#contracts';
import { NO_SETTINGS } from '#replication';
import { KEY, type TestServer, claims, mint, startTestServer } from './test-server';

const PATH = `/admin/namespaces/${encodeURIComponent('agent://pinned')}`;
const PINNED = {
  regions: ['eu-west-1'],
  replicas: 2,
  read_replicas: { 'eu-west-1': 1 },
  max_qps: 100,
  max_bytes: 64,
  history_retention_seconds: 60,
  history_retention_commits: 0,
  indexes: ['$.status', "$['owner'].id"],
};

/** Goal: settings of namespaces are what CONTRACT sections 7 and 9 say. Method: a real server, settings in memory. */
describe('/admin/namespaces', () => {
  let test: TestServer;
  beforeAll(async () => {
    test = await startTestServer({ REGION: 'local' });
  });
  afterAll(() => test.server.stop());
  afterEach(() => test.engine.namespaces.known.clear());

  it('takes settings whole, shows them, and takes them back', async () => {
    expect((await test.send('GET', PATH)).status).toBe(404);
    const set = await test.send('PUT', PATH, { json: PINNED });
    const shown = {
      ns: 'agent://pinned',
      ...PINNED,
      indexes_building: PINNED.indexes,
      group_id: 2,
      state: 'active',
      under_replicated: false,
    };
    expect([set.status, set.json()]).toEqual([200, shown]);
    expect((await test.send('GET', PATH)).json()).toEqual(shown);
    expect((await test.send('GET', '/admin/namespaces')).json()).toEqual([shown]);
    // What is complete is told by the group that serves the namespace, whichever way its path is written.
    test.engine.run({ kind: 'indexes', ns: 'agent://pinned', paths: ['$.owner.id'] });
    expect((await test.send('GET', PATH)).json().indexes_building).toEqual(['$.status']);
    test.engine.failure = new StateError('no_leader', 'none');
    expect((await test.send('GET', PATH)).json().indexes_building).toBeNull();
    test.engine.failure = undefined;

    const again = await test.send('PUT', PATH, { json: { regions: null, max_qps: 5 } });
    expect(again.json()).toEqual({
      ...shown,
      regions: null,
      replicas: 3,
      read_replicas: {},
      max_qps: 5,
      max_bytes: null,
      history_retention_seconds: null,
      history_retention_commits: null,
      indexes: [],
      indexes_building: [],
      under_replicated: true,
    });
    expect((await test.send('DELETE', PATH)).status).toBe(204);
    expect((await test.send('DELETE', PATH)).status).toBe(404);
    expect((await test.send('GET', '/admin/namespaces')).json()).toEqual([]);
  });

  it.each([
    [{ regions: [] }, ['regions']],
    [{ regions: 'eu-west-1' }, ['regions']],
    [{ regions: ['eu', 'eu'] }, ['regions']],
    [{ regions: ['e u'] }, ['regions']],
    [{ regions: [1] }, ['regions']],
    [{ replicas: 0 }, ['replicas']],
    [{ replicas: 10, max_qps: 0 }, ['max_qps', 'replicas']],
    [{ max_bytes: -1, history_retention_seconds: 1.5 }, ['history_retention_seconds', 'max_bytes']],
    [{ read_replicas: ['eu'] }, ['read_replicas']],
    [{ read_replicas: { eu: 0 } }, ['read_replicas']],
    [{ regions: ['eu'], read_replicas: { us: 1 } }, ['read_replicas.us']],
    [{ region: ['eu'] }, ['region']],
    [{ indexes: '$.a' }, ['indexes']],
    [{ indexes: [1] }, ['indexes']],
    [{ indexes: ['$.a[*]'] }, ['indexes']],
    [{ indexes: ['$.a', "$['a']"] }, ['indexes']],
    [{ indexes: [`$.${'a'.repeat(255)}`] }, ['indexes']],
    [{ indexes: Array.from({ length: 17 }, (_, at) => `$.f${at}`) }, ['indexes']],
  ])('refuses %j by the names of its fields, and changes nothing', async (json, fields) => {
    const answer = await test.send('PUT', PATH, { json });
    expect(answer.status).toBe(400);
    const { code, errors } = answer.json<{ code: string; errors: { field: string }[] }>();
    expect([code, errors.map(({ field }) => field).sort()]).toEqual(['invalid_request', fields]);
    expect(test.engine.namespaces.known.size).toBe(0);
  });

  it('refuses a name that is none', async () => {
    for (const method of ['GET', 'DELETE']) {
      const answer = await test.send(method, '/admin/namespaces/a%20b');
      expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request']);
    }
    expect((await test.send('PUT', PATH)).json()).toMatchObject({ code: 'invalid_json' });
  });

  it('refuses a request above the limits of its namespace', async () => {
    test.engine.namespaces.known.set('small', { ...NO_SETTINGS, maxBytes: 20 });
    const tooLarge = await test.send('PUT', '/v1/small/objects/x', { json: { body: 'x'.repeat(20) } });
    expect([tooLarge.status, tooLarge.json()]).toEqual([
      413,
      expect.objectContaining({ code: 'payload_too_large', limit_bytes: 20 }),
    ]);
    expect((await test.send('PUT', '/v1/small/objects/x', { json: {} })).status).toBe(200);

    test.engine.namespaces.known.set('slow', { ...NO_SETTINGS, maxQps: 2 });
    const statuses: number[] = [];
    for (let count = 0; count < 20; count++)
      statuses.push((await test.send('GET', '/v1/slow/objects')).status);
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(statuses).toContain(429);
    const limited = await test.send('GET', '/metrics');
    expect(limited.text).toMatch(/^rate_limit_exceeded_total\{ns="slow"\} \d+$/m);
  });
});

const VERBS = [
  ['PUT', '/objects/x', 'PUT'],
  ['POST', '/objects', 'PUT'],
  ['PATCH', '/objects/x', 'PUT'],
  ['GET', '/objects/x', 'GET'],
  ['GET', '/objects/x/history', 'GET'],
  ['GET', '/objects', 'GET'],
  ['POST', '/query', 'GET'],
  ['DELETE', '/objects/x', 'DELETE'],
  ['GET', '/watch', 'WATCH'],
  ['POST', '/batch', 'PUT'],
  ['POST', '/lease/acquire', 'LEASE'],
  ['POST', '/lease/renew', 'LEASE'],
  ['POST', '/lease/release', 'LEASE'],
  ['GET', '/lease/x', 'LEASE'],
] as const;

/** Requests of operators that name a namespace elsewhere than in a path under `/v1`. */
const OPERATORS_VERBS = [
  ['POST', '/admin/explain-query', { ns: 'secret-name', where: { '$.a': 1 } }],
  ['GET', '/admin/dump?ns=secret-name', undefined],
] as const;

/** And those that name none, or only what the settings say of it. */
const OPERATORS_OTHER_VERBS = [
  ['POST', '/admin/explain-query'],
  ['GET', '/admin/dump'],
  ['POST', '/admin/snapshot'],
  ['GET', '/admin/snapshots'],
  ['GET', '/admin/manifest'],
  ['POST', '/admin/trim-wal'],
  ['GET', '/admin/cluster'],
  ['POST', '/admin/cluster/nodes'],
  ['DELETE', '/admin/cluster/nodes/x'],
  ['POST', '/admin/cluster/transfer-leader'],
  ['GET', '/admin/namespaces'],
  ['GET', '/admin/namespaces/x'],
  ['PUT', '/admin/namespaces/x'],
  ['DELETE', '/admin/namespaces/x'],
] as const;

/** Goal: a node outside a pin has nothing to do with it. Method: every verb, with and without tokens. */
describe('a namespace that is pinned elsewhere', () => {
  it('is refused with 451 for every verb, before the body, and without a count by its name', async () => {
    const test = await startTestServer({ REGION: 'us-west-2', CAP_KEY_ACTIVE: KEY, RATE_LIMIT_QPS: '1' });
    test.engine.namespaces.known.set('secret-name', {
      ...NO_SETTINGS,
      regions: ['eu-west-1', 'eu-central-1'],
    });
    const ops = ['PUT', 'GET', 'DELETE', 'WATCH', 'LEASE'];
    const token = mint(claims({ ns: 'secret-name', ops, max_qps: 1 }));
    for (const [method, path] of VERBS) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : 'this is no JSON';
      const answer = await test.send(method, `/v1/secret-name${path}`, { token, body });
      expect([method, path, answer.status, answer.json()]).toEqual([
        method,
        path,
        451,
        expect.objectContaining({
          code: 'region_not_allowed',
          region: 'us-west-2',
          allowed_regions: ['eu-west-1', 'eu-central-1'],
        }),
      ]);
    }
    const admin = mint(claims({ ns: 'admin://global', ops: ['ADMIN'] }));
    for (const [method, path, json] of OPERATORS_VERBS) {
      const answer = await test.send(method, path, { token: admin, json });
      expect([path, answer.status, answer.json().code, answer.json().allowed_regions]).toEqual([
        path,
        451,
        'region_not_allowed',
        ['eu-west-1', 'eu-central-1'],
      ]);
    }
    // A token that does not grant the namespace is not told of its pin.
    const other = mint(claims({ ns: 'other', ops }));
    expect((await test.send('GET', '/v1/secret-name/objects', { token: other })).status).toBe(403);
    const { text } = await test.send('GET', '/metrics', { token: admin });
    expect(text).toMatch(/^region_refused_total\{op="ADMIN",reason="pin"\} 2$/m);
    expect(text).toMatch(/^region_refused_total\{op="PUT",reason="pin"\} 4$/m);
    expect(text).not.toContain('secret-name');
    expect(test.engine.commands).toEqual([]);
    await test.server.stop();
  });

  it('is refused by a token whose regions are elsewhere', async () => {
    const test = await startTestServer({ REGION: 'us-west-2', CAP_KEY_ACTIVE: KEY });
    const token = mint(claims({ regions: ['eu-west-1'], ops: ['PUT', 'GET', 'DELETE', 'WATCH', 'LEASE'] }));
    for (const [method, path] of VERBS) {
      const answer = await test.send(method, `/v1/agent%3A%2F%2Fdemo${path}`, { token });
      expect([path, answer.status, answer.json().allowed_regions]).toEqual([path, 451, ['eu-west-1']]);
    }
    const admin = mint(claims({ ns: 'admin://global', ops: ['ADMIN'], regions: ['eu-west-1'] }));
    for (const [method, path] of OPERATORS_OTHER_VERBS) {
      const answer = await test.send(method, path, { token: admin });
      expect([path, answer.status, answer.json().allowed_regions]).toEqual([path, 451, ['eu-west-1']]);
    }
    expect((await test.send('GET', '/metrics')).text).toContain('reason="token"');
    await test.server.stop();
  });

  it('is no label any more once this node knows of the pin, without a request for it', async () => {
    const test = await startTestServer({ REGION: 'us-west-2' });
    const label = 'rate_limit_exceeded_total{ns="moves"}';
    const metrics = async () => (await test.send('GET', '/metrics')).text;
    const pin = (regions: string[] | undefined) =>
      test.engine.namespaces.known.set('moves', { ...NO_SETTINGS, maxQps: 1, regions });
    const exceed = async () => {
      for (let count = 0; count < 5; count++) await test.send('GET', '/v1/moves/objects');
    };
    try {
      pin(undefined);
      await exceed();
      expect(await metrics()).toContain(label);
      pin(['us-west-2', 'eu-west-1']);
      expect(await metrics()).toContain(label);
      pin(['eu-west-1']);
      expect(await metrics()).not.toContain('moves');
      pin(undefined);
      await exceed();
      expect(await metrics()).toContain(label);
    } finally {
      await test.server.stop();
    }
  });

  it('is served where it is pinned to', async () => {
    const test = await startTestServer({ REGION: 'eu-west-1' });
    test.engine.namespaces.known.set('here', { ...NO_SETTINGS, regions: ['eu-west-1'] });
    expect((await test.send('PUT', '/v1/here/objects/x', { json: {} })).status).toBe(200);
    await test.server.stop();
  });
});
