import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { FolderInUse, lockUntouched } from '#storage';
import { agentstate } from './launcher/agentstate';
import { Client } from './launcher/client';
import { SMALL_SEGMENTS } from './launcher/restorable-folder';
import { Scratch } from './launcher/scratch';
import { takeSnapshot } from './launcher/snapshots';

const NS = 'agent://demo';
const OBJECTS = 200;

/** Everything in a data folder, the lock too: names, contents, times of change. */
function everything(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      const { mtimeMs } = statSync(file);
      return `${name} ${mtimeMs} ${statSync(file).isFile() ? readFileSync(file).toString('base64') : ''}`;
    });
}

/**
 * The goal: whoever looks at a stopped node's data leaves it as it is, byte by byte, to be looked at again or kept as
 * evidence. The method: the real program, on what a stop and what a kill leave.
 */
describe('admin dump', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test.each(['stopped', 'killed'] as const)(
    'changes nothing in the folder of a node that was %s',
    async (how) => {
      const dataDir = await scratch.folder();
      const server = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
      const client = new Client(server.url, NS);
      for (let n = 0; n < OBJECTS; n++) await client.put(`o${n}`, { body: n });
      await takeSnapshot(server.url);
      await client.remove('o0');
      await (how === 'killed' ? server.kill() : server.stop());

      const before = everything(dataDir);
      for (const more of [[], ['--ns', NS], ['--ns', 'agent://other']]) {
        const { code, out, err } = await agentstate(['admin', 'dump', '--data-dir', dataDir, ...more]);
        expect([code, err]).toEqual([0, '']);
        expect(out.split('\n').length - 1).toBe(more.includes('agent://other') ? 0 : OBJECTS - 1);
        expect(everything(dataDir)).toEqual(before);
      }
      const again = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
      expect((await new Client(again.url, NS).get('o1')).body.body).toBe(1);
    },
  );

  test('keeps a node from starting meanwhile, and is kept out by one that runs', async () => {
    const dataDir = await scratch.folder();
    const server = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
    await expect(lockUntouched(dataDir)).rejects.toThrow(FolderInUse);
    await server.stop();
    const looking = await lockUntouched(dataDir);
    const environment = { DEV_MODE: 'true', HTTP_PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir };
    const refused = await agentstate(['serve'], { environment });
    expect([refused.code, refused.out + refused.err]).toEqual([1, expect.stringContaining('in use')]);
    await looking.release();
    await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
  });
});
