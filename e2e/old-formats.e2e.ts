import { cpSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { agentstate, dumped } from './launcher/agentstate';
import { Client, type StoredObject } from './launcher/client';
import { Scratch } from './launcher/scratch';
import { listSnapshots } from './launcher/snapshots';

const FIXTURES = path.join(__dirname, 'fixtures');
const VERSIONS = readdirSync(FIXTURES).filter((name) => name.startsWith('data-v'));

interface Expected {
  readonly ns: string;
  readonly snapshot_id: string;
  readonly in_snapshot: readonly StoredObject[];
  readonly objects: readonly StoredObject[];
  readonly history: readonly object[];
  readonly lease_token: number;
  readonly other: { readonly ns: string; readonly objects: readonly StoredObject[] };
}

const bodies = (...objects: readonly StoredObject[]): Record<string, unknown> =>
  Object.fromEntries(objects.map(({ id, body }) => [id, body]));

/**
 * The goal: a data folder that any version has written is opened, with all that is in it. The method: folders that
 * were kept, as `fixtures/write-data-folder.mjs` wrote them with the version of their time.
 */
describe.each(VERSIONS)('%s', (version) => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());
  const folder = path.join(FIXTURES, version);
  const expected = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Expected;
  const copy = async (): Promise<string> => {
    const dataDir = path.join(await scratch.folder(), 'data');
    cpSync(path.join(folder, 'data'), dataDir, { recursive: true });
    return dataDir;
  };

  test('a node starts on it, answers what was there, and goes on', async () => {
    // What was kept then is older than a node keeps by default.
    const environment = { HISTORY_RETENTION_SECONDS: '315360000' };
    const server = await scratch.start({ dataDir: await copy(), environment });
    const client = new Client(server.url, expected.ns);
    expect((await client.list()).body).toEqual(expected.objects);
    expect((await new Client(server.url, expected.other.ns).list()).body).toEqual(expected.other.objects);
    const history = await fetch(`${server.url}/v1/${encodeURIComponent(expected.ns)}/objects/tagged/history`);
    expect(await history.json()).toEqual(expected.history);
    const lease = await fetch(`${server.url}/v1/${encodeURIComponent(expected.ns)}/lease/acquire`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: 'lock', owner: 'another', ttl: 10 }),
    });
    expect(((await lease.json()) as { token: number }).token).toBeGreaterThan(expected.lease_token);
    expect((await listSnapshots(server.url)).map((snapshot) => snapshot.snapshot_id)).toEqual([
      expected.snapshot_id,
    ]);
    const newest = Math.max(...expected.objects.map((object) => object.commit_seq));
    expect((await client.put('new', { body: 1 })).body.commit_seq).toBeGreaterThan(newest);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('the commands for a stopped node read it, and restore it', async () => {
    const dataDir = await copy();
    const { objects, other, snapshot_id: snapshotId } = expected;
    expect(await dumped(dataDir)).toEqual(bodies(...objects, ...other.objects));
    expect(await agentstate(['wal', 'verify', '--data-dir', dataDir])).toMatchObject({ code: 0 });
    expect(await agentstate(['snapshot', 'verify', '--data-dir', dataDir])).toMatchObject({ code: 0 });
    const restore = ['restore', '--data-dir', dataDir, '--snapshot-id', snapshotId, '--yes'];
    expect(await agentstate([...restore, '--to', 'latest'])).toMatchObject({ code: 0, err: '' });
    expect(await dumped(dataDir)).toEqual(bodies(...objects, ...other.objects));
    expect(await agentstate(restore)).toMatchObject({ code: 0, err: '' });
    expect(await dumped(dataDir)).toEqual(bodies(...expected.in_snapshot, ...other.objects));
  });

  test('a snapshot that it has exported is imported, and restored', async () => {
    const dataDir = path.join(await scratch.folder(), 'data');
    const from = path.join(folder, 'exported.snapshot');
    const imported = await agentstate(['snapshot', 'import', '--data-dir', dataDir, '--from', from]);
    expect(imported).toMatchObject({ code: 0, err: '', out: `${expected.snapshot_id}\n` });
    const args = ['restore', '--data-dir', dataDir, '--snapshot-id', expected.snapshot_id, '--yes'];
    expect(await agentstate(args)).toMatchObject({ code: 0, err: '' });
    expect(await dumped(dataDir)).toEqual(bodies(...expected.in_snapshot, ...expected.other.objects));
  });
});
