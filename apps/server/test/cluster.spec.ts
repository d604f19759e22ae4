import { StateError } from '#contracts';
import { KEY, type TestServer, claims, mint, startTestServer } from './test-server';

/** Goal: /admin/cluster is what CONTRACT section 9 says. Method: a made-up cluster behind a real server. */
describe('/admin/cluster', () => {
  let test: TestServer;
  beforeAll(async () => {
    test = await startTestServer({ CLUSTER_NODES: 'node-1=127.0.0.1:7401@local,node-2=[::1]:7402@local' });
  });
  afterAll(() => test.server.stop());
  afterEach(() => {
    test.engine.cluster.failure = undefined;
    test.engine.cluster.leaderless = false;
  });

  it('shows nodes and groups by their names', async () => {
    const answer = await test.send('GET', '/admin/cluster');
    expect(answer.status).toBe(200);
    const urlOf = (member: number): string => `http://127.0.0.1:${8080 + member}`;
    const members = [
      { node_id: 'node-1', role: 'leader', match_index: 40 },
      { node_id: 'node-2', role: 'follower', match_index: 30 },
      { node_id: 'node-3', role: 'learner', match_index: 20 },
    ];
    const numbers = { leader: 'node-1', term: 7, commit_index: 42, applied_index: 41, members };
    const settled = { replicas: null, under_replicated: false, repair: [], namespaces: 0 };
    const underRepair = { replicas: 3, under_replicated: true, repair: ['adding node-3'], namespaces: 1 };
    expect(answer.json()).toEqual({
      cluster_id: 'c0ffee',
      node_id: 'node-1',
      region: 'local',
      nodes: [
        { node_id: 'node-1', region: 'local', http_url: urlOf(1), alive: true },
        { node_id: 'node-2', region: 'local', http_url: urlOf(2), alive: true },
        { node_id: 'node-3', region: 'local', http_url: urlOf(3), alive: false },
      ],
      groups: [
        { group_id: 0, regions: null, ...numbers, ...settled },
        { group_id: 1, regions: ['eu'], ...numbers, ...underRepair },
      ],
    });
  });

  it('shows what is known while nobody leads', async () => {
    test.engine.cluster.leaderless = true;
    const { groups } = (await test.send('GET', '/admin/cluster')).json<{ groups: unknown[] }>();
    expect(groups[1]).toEqual({
      group_id: 1,
      regions: ['eu'],
      leader: null,
      term: 7,
      commit_index: 42,
      applied_index: 41,
      replicas: 3,
      under_replicated: true,
      repair: ['adding node-3'],
      namespaces: 1,
      members: [
        { node_id: 'node-1', role: 'pre_candidate', match_index: null },
        { node_id: 'node-2', role: 'follower', match_index: null },
        { node_id: 'node-3', role: 'learner', match_index: null },
      ],
    });
  });

  it('says what a new node is started with, and never a secret', async () => {
    const answer = await test.send('POST', '/admin/cluster/nodes', {
      json: { node_id: 'node-4', region: 'eu' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      node_id: 'node-4',
      environment: {
        NODE_ID: 'node-4',
        REGION: 'eu',
        CLUSTER_JOIN: '127.0.0.1:7401,[::1]:7402,127.0.0.1:7403',
      },
      same_as_here: ['CLUSTER_SECRET'],
    });
    expect((await test.send('POST', '/admin/cluster/nodes')).json()).toMatchObject({ node_id: null });
    expect((await test.send('POST', '/admin/cluster/nodes', { json: { node_id: 'node-1' } })).status).toBe(
      409,
    );
    // A dead node's name may come back: it replaces the old one.
    expect((await test.send('POST', '/admin/cluster/nodes', { json: { node_id: 'node-3' } })).status).toBe(
      200,
    );
  });

  it('begins a removal and asks for a transfer', async () => {
    const removed = await test.send('DELETE', '/admin/cluster/nodes/node-2');
    expect([removed.status, removed.json()]).toEqual([200, { node_id: 'node-2', state: 'leaving' }]);
    const asked = await test.send('POST', '/admin/cluster/transfer-leader', {
      json: { group_id: 1, node_id: 'node-2' },
    });
    expect([asked.status, asked.json()]).toEqual([200, { group_id: 1, node_id: 'node-2' }]);
    expect(test.engine.cluster.transfers).toEqual([[1, 'node-2']]);
  });

  it.each([
    [{}, ['group_id', 'node_id']],
    [{ group_id: 1 }, ['node_id']],
    [{ group_id: '1', node_id: 'node-2' }, ['group_id']],
    [{ group_id: -1, node_id: 'a b' }, ['group_id', 'node_id']],
    [{ group_id: 1, node_id: 'node-2', force: true }, ['force']],
  ])('refuses the transfer %j by the names of its fields', async (json, fields) => {
    const answer = await test.send('POST', '/admin/cluster/transfer-leader', { json });
    expect(answer.status).toBe(400);
    const { code, errors } = answer.json<{ code: string; errors: { field: string }[] }>();
    expect([code, errors.map(({ field }) => field).sort()]).toEqual(['invalid_request', fields]);
  });

  it('refuses no body, unknown nodes, unknown paths and wrong methods', async () => {
    expect((await test.send('POST', '/admin/cluster/transfer-leader')).json()).toMatchObject({
      code: 'invalid_json',
    });
    expect((await test.send('DELETE', '/admin/cluster/nodes/none')).status).toBe(404);
    for (const [method, path, status] of [
      ['GET', '/admin/cluster/nodes', 405],
      ['GET', '/admin/nothing', 404],
      ['POST', '/admin/cluster/nothing', 404],
      ['DELETE', '/admin/cluster', 405],
    ] as const) {
      expect([path, (await test.send(method, path)).status]).toEqual([path, status]);
    }
  });

  it('carries Retry-After on every path while there is no leader, and not when the outcome is unknown', async () => {
    const requests = [
      ['GET', '/v1/a/objects/x'],
      ['GET', '/v1/a/objects'],
      ['PUT', '/v1/a/objects/x', {}],
      ['POST', '/v1/a/objects', {}],
      ['DELETE', '/v1/a/objects/x'],
      ['POST', '/v1/a/query', {}],
      ['GET', '/v1/a/watch'],
      ['GET', '/admin/cluster'],
      ['POST', '/admin/cluster/nodes', {}],
      ['DELETE', '/admin/cluster/nodes/node-1'],
      ['POST', '/admin/cluster/transfer-leader', { group_id: 1, node_id: 'node-1' }],
    ] as const;
    for (const [code, status, retryAfter] of [
      ['no_leader', 503, '1'],
      ['timeout', 504, undefined],
    ] as const) {
      const failure = new StateError(code, 'why');
      test.engine.failure = failure;
      test.engine.cluster.failure = failure;
      for (const [method, path, json] of requests) {
        const answer = await test.send(method, path, { json });
        const seen = [method, path, answer.status, answer.json().code, answer.headers['retry-after']];
        expect(seen).toEqual([method, path, status, code, retryAfter]);
      }
    }
    test.engine.failure = undefined;
  });
});

describe('a node that is alone', () => {
  it('says how it becomes one of several', async () => {
    const test = await startTestServer();
    test.engine.cluster.alone = true;
    const answer = await test.send('POST', '/admin/cluster/nodes');
    expect([answer.status, answer.json().detail]).toEqual([409, expect.stringContaining('CLUSTER_NODES')]);
    await test.server.stop();
  });
});

describe('/admin/cluster with tokens', () => {
  it('needs the operation ADMIN', async () => {
    const test = await startTestServer({ CAP_KEY_ACTIVE: KEY });
    const admin = mint(claims({ ns: 'admin://global', ops: ['ADMIN'] }));
    expect((await test.send('GET', '/admin/cluster', { token: admin })).status).toBe(200);
    for (const [method, path] of [
      ['GET', '/admin/cluster'],
      ['POST', '/admin/cluster/nodes'],
      ['DELETE', '/admin/cluster/nodes/node-1'],
      ['POST', '/admin/cluster/transfer-leader'],
    ] as const) {
      expect([path, (await test.send(method, path)).status]).toEqual([path, 401]);
      expect([path, (await test.send(method, path, { token: mint(claims()) })).status]).toEqual([path, 403]);
    }
    await test.server.stop();
  });
});
