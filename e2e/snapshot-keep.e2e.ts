import { readdirSync } from 'node:fs';
import path from 'node:path';
import { agentstate, dumped } from './launcher/agentstate';
import { Client } from './launcher/client';
import { SMALL_SEGMENTS } from './launcher/restorable-folder';
import { Scratch } from './launcher/scratch';
import { listSnapshots, takeSnapshot } from './launcher/snapshots';
import { until } from './launcher/until';

const NS = 'agent://demo';
const KEEP = 2;
const TAKEN = 4;

/**
 * The goal: `SNAPSHOT_KEEP` is what stays on a node, and what stays can be restored. The method: a real node that takes
 * more than that; what the log does meanwhile is looked at in the simulator, where it is small enough to be trimmed.
 */
describe('SNAPSHOT_KEEP', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test('the newest ones stay, with nothing of the others on the disk, and can be rolled forward', async () => {
    const dataDir = await scratch.folder();
    const environment = { ...SMALL_SEGMENTS, SNAPSHOT_KEEP: String(KEEP) };
    const server = await scratch.start({ dataDir, environment });
    const client = new Client(server.url, NS);
    const taken: string[] = [];
    for (let n = 1; n <= TAKEN; n++) {
      await client.put('counter', { body: n });
      taken.push((await takeSnapshot(server.url)).snapshot_id);
      expect((await listSnapshots(server.url)).at(-1)?.snapshot_id).toBe(taken.at(-1));
    }
    await client.put('counter', { body: 'last' });
    const kept = taken.slice(-KEEP);
    const ids = async (url: string): Promise<readonly string[]> =>
      (await listSnapshots(url)).map((snapshot) => snapshot.snapshot_id);
    await until('the older ones gone', async () => (await ids(server.url)).join() === kept.join());
    const onDisk = (): ReadonlySet<string> => {
      const names = readdirSync(path.join(dataDir, 'snapshots')).filter((name) => name !== 'MANIFEST');
      return new Set(names.map((name) => name.split('.')[0] as string));
    };
    await until('their files gone', () => Promise.resolve(onDisk().size === KEEP));
    expect(onDisk()).toEqual(new Set(kept));
    const refused = await fetch(`${server.url}/admin/trim-wal?snapshot_id=${taken[0]}`, { method: 'POST' });
    expect(refused.status).toBe(404);
    await server.kill();

    const again = await scratch.start({ dataDir, environment });
    expect(await ids(again.url)).toEqual(kept);
    await again.stop();
    const restore = ['restore', '--data-dir', dataDir, '--snapshot-id', kept[0] as string, '--yes'];
    expect(await agentstate([...restore, '--to', 'latest'])).toMatchObject({ code: 0, err: '' });
    expect(await dumped(dataDir)).toEqual({ counter: 'last' });
    expect(await agentstate(restore)).toMatchObject({ code: 0, err: '' });
    expect(await dumped(dataDir)).toEqual({ counter: TAKEN - KEEP + 1 });
  });
});
