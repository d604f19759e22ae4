import { seededRandom } from '#testkit';
import { agentstate, dumped } from './launcher/agentstate';
import { Client } from './launcher/client';
import { Connections } from './launcher/connections';
import { CrashWriters } from './launcher/crash-writers';
import { SMALL_SEGMENTS } from './launcher/restorable-folder';
import { Scratch } from './launcher/scratch';
import type { ServerProcess } from './launcher/server-process';
import { admin, listSnapshots, takeSnapshot } from './launcher/snapshots';

const SEED = Number(process.env['SNAPSHOT_CRASH_SEED'] ?? 20261127);
const ROUNDS = 8;
const CONNECTIONS = 16;
const NS = 'agent://crash';
const DEADLINE_MS = 240_000;

/** Takes snapshots and trims to them, one after the other, until the server is gone. */
async function operate(server: ServerProcess, acknowledged: string[]): Promise<number> {
  let trimmed = 0;
  try {
    for (;;) {
      const { snapshot_id: id } = await takeSnapshot(server.url);
      acknowledged.push(id);
      const { trimmed_segments: segments } = await admin<{ trimmed_segments: readonly string[] }>(
        server.url,
        'POST',
        `trim-wal?snapshot_id=${id}`,
      );
      trimmed += segments.length;
    }
  } catch (error) {
    // What fetch says of a connection that broke; an answer that is not 200 is the server's, and wrong.
    if ((error as Error).name !== 'TypeError') throw error;
    return trimmed;
  }
}

/**
 * The goal: neither a snapshot nor a trim that dies costs anything that was acknowledged, and none is listed half.
 * The method: a real server under load, killed at random moments while it takes snapshots and trims to them.
 */
describe('SIGKILL under load, snapshots and trims', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  test(
    `${ROUNDS} rounds lose no write and no snapshot`,
    async () => {
      const random = seededRandom(SEED);
      const writers = new CrashWriters(`/v1/${encodeURIComponent(NS)}/objects`, CONNECTIONS);
      const dataDir = await scratch.folder();
      const snapshots: string[] = [];
      let trimmed = 0;
      let server = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
      for (let round = 0; round < ROUNDS; round++) {
        const what = `SNAPSHOT_CRASH_SEED=${SEED}, round ${round}`;
        const connections = new Connections(server.httpPort, CONNECTIONS);
        const target = writers.acknowledged.length + 100 + random(900);
        let killed: Promise<void> | undefined;
        const operated = operate(server, snapshots);
        await writers.write(connections, () => {
          if (writers.acknowledged.length >= target) killed ??= server.kill();
        });
        connections.close();
        if (killed === undefined) throw new Error(`${what}: the server broke off:\n${server.output}`);
        await killed;
        trimmed += await operated;

        const before = await agentstate(['snapshot', 'verify', '--data-dir', dataDir]);
        expect({ what, code: before.code, out: before.out }).toMatchObject({ code: 0 });
        server = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
        const readers = new Connections(server.httpPort, CONNECTIONS);
        expect({ what, wrong: await writers.check(readers) }).toEqual({ what, wrong: [] });
        readers.close();
        const listed = (await listSnapshots(server.url)).map((snapshot) => snapshot.snapshot_id);
        expect({ what, listed }).toEqual({ what, listed: expect.arrayContaining(snapshots) as string[] });
      }
      // How many depends on the machine; each of them is one that a kill may have cut short.
      expect(trimmed).toBeGreaterThan(0);

      // The newest one and the log behind it are all that there is.
      const { body } = await new Client(server.url, NS).list('?limit=1000');
      await server.stop();
      const newest = (await agentstate(['snapshot', 'list', '--data-dir', dataDir])).out
        .trim()
        .split('\n')
        .at(-1)
        ?.split(' ')[0] as string;
      const restored = await agentstate([
        ...['restore', '--data-dir', dataDir, '--snapshot-id', newest, '--to', 'latest', '--yes'],
      ]);
      expect(restored).toMatchObject({ code: 0, err: '' });
      expect(await dumped(dataDir)).toEqual(
        Object.fromEntries(body.map((object) => [object.id, object.body])),
      );
    },
    DEADLINE_MS,
  );
});
