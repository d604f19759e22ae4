import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { seededRandom } from '#testkit';
import { agentstate, dumped, type Ran } from './launcher/agentstate';
import { contents, files, flipBit } from './launcher/data-folder';
import { SmallDisk } from './launcher/disk-faults';
import { RestorableFolder, SMALL_SEGMENTS } from './launcher/restorable-folder';
import { Scratch } from './launcher/scratch';

const SEED = Number(process.env['BAD_INPUT_SEED'] ?? 20261127);
const FLIPS = 3;
const DISK_MIB = 40;
const WRITTEN_LOG_BYTES = 2_000;

interface BadCase {
  readonly name: string;
  /** In the folder, before the command. */
  readonly damage?: (dataDir: string, folder: RestorableFolder) => void;
  readonly args?: (folder: RestorableFolder) => readonly string[];
  /** What the line must say; a path in the folder, where there is one. */
  readonly says: (dataDir: string, folder: RestorableFolder) => string;
}

const part = (dataDir: string, { snapshotId }: RestorableFolder, group: number): string =>
  path.join(dataDir, 'snapshots', `${snapshotId}.group-${group}`);

const CASES: readonly BadCase[] = [
  {
    name: 'a snapshot that is not there',
    args: () => ['--snapshot-id', 'snap-00000000000000000000000000'],
    says: (dataDir, { snapshotId }) =>
      `no snapshot snap-00000000000000000000000000 in ${dataDir}/snapshots; there are: ${snapshotId}`,
  },
  {
    name: 'a folder without snapshots',
    damage: (dataDir) => rmSync(path.join(dataDir, 'snapshots'), { recursive: true }),
    says: (dataDir) => `in ${dataDir}/snapshots; there is none there`,
  },
  ...[0, 1].flatMap((group): BadCase[] => [
    {
      name: `a snapshot without its part of group ${group}`,
      damage: (dataDir, folder) => rmSync(part(dataDir, folder, group)),
      says: (dataDir, folder) => `is incomplete: ${part(dataDir, folder, group)} is missing`,
    },
    {
      name: `a part of group ${group} that is cut off`,
      damage: (dataDir, folder) => truncateSync(part(dataDir, folder, group), 500),
      says: (dataDir, folder) => part(dataDir, folder, group),
    },
    {
      name: `a part of group ${group} that bytes follow`,
      damage: (dataDir, folder) => {
        const file = part(dataDir, folder, group);
        writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.of(0)]));
      },
      says: (dataDir, folder) => part(dataDir, folder, group),
    },
  ]),
  {
    name: "a sound part in another's place",
    damage: (dataDir, folder) => copyFileSync(part(dataDir, folder, 0), part(dataDir, folder, 1)),
    says: (dataDir, folder) => `${part(dataDir, folder, 1)} is not the file that the manifest`,
  },
  {
    name: 'a manifest that is cut off',
    damage: (dataDir) => truncateSync(path.join(dataDir, 'snapshots/MANIFEST'), 90),
    says: (dataDir) => `${dataDir}/snapshots/MANIFEST`,
  },
  {
    name: 'a time before the snapshot',
    args: () => ['--to-time', '2020-01-01T00:00:00Z'],
    says: () => '2020-01-01T00:00:00.000Z is before the snapshot, which is of ',
  },
  {
    name: "a time after the log's end",
    args: () => ['--to-time', '2090-01-01T00:00:00Z'],
    says: () => '2090-01-01T00:00:00.000Z is after the end of the log, which is at ',
  },
  {
    name: 'a position before the snapshot',
    args: ({ positions }) => ['--to-seq', String(positions.snapshot - 1)],
    says: (_, { positions }) =>
      `position ${positions.snapshot - 1} is before the snapshot, which is at ${positions.snapshot}`,
  },
  {
    name: "a position after the log's end, which only applying it tells",
    args: ({ positions }) => ['--to-seq', String(positions.last + 1)],
    says: (_, { positions }) => `position ${positions.last + 1} is after the end of the log`,
  },
  {
    name: "a position far after the log's end",
    args: ({ positions }) => ['--to-seq', String(positions.last + 1_000)],
    says: (_, { positions }) => `position ${positions.last + 1_000} is after the end of the log`,
  },
  {
    name: 'a log that has lost a segment',
    damage: (dataDir) => rmSync(path.join(dataDir, 'wal'), { recursive: true }),
    args: () => ['--to', 'latest'],
    says: (dataDir) => `there is no log in ${dataDir} to roll the snapshot forward through`,
  },
  {
    name: 'a folder that is not there',
    damage: (dataDir) => renameSync(dataDir, `${dataDir}-moved`),
    says: (dataDir) => `there is no folder ${dataDir}`,
  },
];

/**
 * The goal: on the worst day a wrong input costs nothing more: one line that says what and where, exit code 1, and a
 * folder that is as it was, byte by byte. The method: the real program, each case on a copy of one data folder.
 */
describe('restore', () => {
  const scratch = new Scratch();
  let folder: RestorableFolder;
  beforeAll(async () => {
    folder = await RestorableFolder.make(scratch);
  });
  afterAll(() => scratch.clear());

  const restore = (dataDir: string, args: readonly string[] = []): Promise<Ran> =>
    agentstate(['restore', '--data-dir', dataDir, '--snapshot-id', folder.snapshotId, '--yes', ...args]);

  function expectRefused(ran: Ran, says: string): void {
    expect({ code: ran.code, lines: ran.err.trimEnd().split('\n').length, err: ran.err }).toEqual({
      code: 1,
      lines: 1,
      err: expect.stringContaining(says) as string,
    });
    expect(ran.out).not.toContain('restored as node');
  }

  test.each(CASES)('$name', async ({ damage, args, says }) => {
    const dataDir = await folder.copy();
    damage?.(dataDir, folder);
    const isThere = !says(dataDir, folder).startsWith('there is no folder');
    const before = isThere ? contents(dataDir) : [];
    expectRefused(await restore(dataDir, args?.(folder)), says(dataDir, folder));
    if (isThere) expect(contents(dataDir)).toEqual(before);
  });

  /** Runs `check` on a copy with one bit of a file flipped, for some bits of each of the files. */
  async function flipped(
    names: readonly string[],
    flips: number,
    check: (dataDir: string, name: string) => Promise<void>,
  ): Promise<void> {
    const random = seededRandom(SEED);
    for (const name of names) {
      const size = readFileSync(path.join(folder.dataDir, name)).length;
      for (let flip = 0; size > 0 && flip < flips; flip++) {
        // The log is longer than what was written into it.
        const at = random(name.endsWith('.wal') ? WRITTEN_LOG_BYTES : size);
        const bit = random(8);
        const dataDir = await folder.copy();
        flipBit(path.join(dataDir, name), at, bit);
        await check(dataDir, name).catch((cause: unknown) => {
          const what = `BAD_INPUT_SEED=${SEED}, bit ${bit} of byte ${at} of ${name}`;
          throw new Error(`${what}: ${String(cause)}`, { cause });
        });
        rmSync(dataDir, { recursive: true });
      }
    }
  }

  const all = (isWanted: (name: string) => boolean): readonly string[] =>
    files(folder.dataDir).filter(isWanted);
  const isState = (name: string): boolean => name.startsWith('groups/');
  const isPrepared = (name: string): boolean => name === path.join('wal', 'next.prepared');

  test('a flipped bit in a snapshot, the log or the identity is told with the file', async () => {
    const names = all((name) => !isState(name) && !isPrepared(name));
    expect(names).toHaveLength(5);
    await flipped(names, FLIPS, async (dataDir, name) => {
      const before = contents(dataDir);
      expectRefused(await restore(dataDir), path.basename(name));
      expect(contents(dataDir)).toEqual(before);
    });
  });

  test('flipped bits in the state that is there, and in what has no content, keep no restore from its end', async () => {
    const dataDir = await folder.copy();
    for (const name of all((one) => isState(one) || isPrepared(one))) {
      const file = path.join(dataDir, name);
      const { length } = readFileSync(file);
      if (length > 0) flipBit(file, Math.floor(length / 2), 4);
    }
    expect(await restore(dataDir)).toMatchObject({ code: 0, err: '' });
    expect(await dumped(dataDir)).toEqual(RestorableFolder.IN_SNAPSHOT);
  });

  test('a flipped bit in the state is told by a dump, with the folder of the group, or does no harm', async () => {
    await flipped(all(isState), 1, async (dataDir) => {
      const ran = await agentstate(['admin', 'dump', '--data-dir', dataDir]);
      if (ran.code !== 0) expectRefused(ran, path.join(dataDir, 'groups'));
      else expect(await dumped(dataDir)).toEqual(RestorableFolder.AT_LAST);
    });
  });

  test('a folder that a running node uses', async () => {
    const dataDir = await folder.copy();
    const server = await scratch.start({ dataDir, environment: SMALL_SEGMENTS });
    // It writes now and then by itself: held still, so that the folder can be compared.
    server.pause();
    const before = contents(dataDir);
    for (const args of [
      ['restore', '--data-dir', dataDir, '--snapshot-id', folder.snapshotId, '--yes'],
      ['admin', 'dump', '--data-dir', dataDir],
      ['snapshot', 'import', '--data-dir', dataDir, '--from', path.join(dataDir, 'node.json')],
    ]) {
      expectRefused(await agentstate(args), `${dataDir} is in use by a running node; stop it first`);
    }
    expect(contents(dataDir)).toEqual(before);
    server.resume();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('no space for the copy', async () => {
    const mountPoint = path.join(await scratch.folder(), 'small');
    mkdirSync(mountPoint);
    const disk = await SmallDisk.mount(mountPoint, DISK_MIB);
    if (disk === undefined) {
      console.warn('left out: this user may mount no file system, so there is no small disk to fill');
      return;
    }
    try {
      const dataDir = path.join(mountPoint, 'data');
      await cp(folder.dataDir, dataDir, { recursive: true });
      const before = contents(dataDir);
      expectRefused(await restore(dataDir), `there is no room in ${dataDir}: the restore takes about `);
      expect(contents(dataDir)).toEqual(before);
    } finally {
      await disk.unmount();
    }
  });
});
