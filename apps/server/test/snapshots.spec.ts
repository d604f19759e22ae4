import { SEGMENT } from './memory-snapshots';
import { type TestServer, KEY, claims, mint, startTestServer } from './test-server';

/** The goal: the answers of CONTRACT section 9. The method: a real server over an engine that is made up. */
let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.server.stop());

it('takes a snapshot, lists it, and trims to it', async () => {
  const taken = await test.send('POST', '/admin/snapshot');
  expect(taken.status).toBe(200);
  const { snapshot_id: id } = taken.json<{ snapshot_id: string }>();
  expect(taken.json()).toEqual({
    snapshot_id: id,
    commit_seq: 30,
    created_at: '2023-11-14T22:13:20.000Z',
    groups: [
      { group_id: 0, index: 40, commit_seq: 50, bytes: 100, digest: 'd1'.repeat(32) },
      { group_id: 1, index: 41, commit_seq: 30, bytes: 100, digest: 'd1'.repeat(32) },
    ],
  });
  const listed = (await test.send('GET', '/admin/snapshots')).json<{ snapshots: object[] }>();
  expect(listed.snapshots.at(-1)).toEqual({
    ...taken.json(),
    bytes: 200,
    cluster_id: 'c0ffee',
    rolls_forward: true,
  });
  const trimmed = await test.send('POST', `/admin/trim-wal?snapshot_id=${id}`);
  expect([trimmed.status, trimmed.json()]).toEqual([
    200,
    { trimmed_segments: [SEGMENT.name], freed_bytes: SEGMENT.bytes },
  ]);
});

it.each([
  ['/admin/trim-wal?snapshot_id=snap-x', 404, 'not_found'],
  ['/admin/trim-wal', 400, 'invalid_request'],
  ['/admin/trim-wal?snapshot_id=', 400, 'invalid_request'],
  ['/admin/trim-wal?snapshot=snap-x', 400, 'invalid_request'],
])('POST %s is refused', async (path, status, code) => {
  const answer = await test.send('POST', path);
  expect([answer.status, answer.json()['code']]).toEqual([status, code]);
});

it.each(['a b', 'admin://nodes', '%ff'])('a dump of %j is refused', async (ns) => {
  const answer = await test.send('GET', `/admin/dump?ns=${ns.replaceAll(' ', '%20')}`);
  expect([answer.status, answer.json()['code']]).toEqual([400, 'invalid_request']);
});

it('dumps one object a line, and closes the dump', async () => {
  const { snapshots } = test.engine;
  snapshots.objects = Array.from({ length: 500 }, (_, at) => JSON.stringify({ id: `o${at}` }));
  const answer = await test.send('GET', '/admin/dump?ns=agent%3A%2F%2Fdemo');
  expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
  expect(answer.text.trimEnd().split('\n')).toEqual(snapshots.objects);
  expect(snapshots.dumps.at(-1)).toEqual({ ns: 'agent://demo', closed: true });
});

it('is for administrators alone', async () => {
  const guarded = await startTestServer({ CAP_KEY_ACTIVE: KEY });
  try {
    for (const [method, path] of [
      ['POST', '/admin/snapshot'],
      ['GET', '/admin/snapshots'],
      ['GET', '/admin/manifest'],
      ['POST', '/admin/trim-wal?snapshot_id=x'],
      ['GET', '/admin/dump'],
    ] as const) {
      expect((await guarded.send(method, path)).status).toBe(401);
      expect((await guarded.send(method, path, { token: mint(claims()) })).status).toBe(403);
    }
    const token = mint(claims({ ns: 'admin://global', ops: ['ADMIN'] }));
    expect((await guarded.send('POST', '/admin/snapshot', { token })).status).toBe(200);
  } finally {
    await guarded.server.stop();
  }
});
