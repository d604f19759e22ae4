import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFolders, type FolderDisk } from './folder-disk';
import { BUILDING_FOLDER, RestoreSwitch } from './restore-switch';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'restore-switch-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function node(folder: string, what: string, names: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    if (name.includes('.') || name === 'incarnation') writeFileSync(join(folder, name), what);
    else {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'content'), what);
    }
  }
}

function prepare(dataDir: string): void {
  node(dataDir, 'old', ['node.json', 'incarnation', 'rejoin.json', 'wal', 'groups', 'snapshots']);
  node(join(dataDir, BUILDING_FOLDER), 'new', ['node.json', 'incarnation', 'wal', 'groups']);
}

const text = (...names: string[]): string => readFileSync(join(...names), 'utf8');
const whose = (folder: string): string[] => [
  text(folder, 'node.json'),
  text(folder, 'incarnation'),
  text(folder, 'wal', 'content'),
  text(folder, 'groups', 'content'),
];

type Place = Parameters<FolderDisk['move']>[0];

class Died extends Error {}

/** The process dies before its operation number `dieAt`, or right after it. */
function mortal(dieAt: number, when: 'before' | 'after'): { disk: FolderDisk; ran: () => number } {
  let ran = 0;
  const mayDie =
    <Args extends unknown[]>(act: (...args: Args) => Promise<void>) =>
    async (...args: Args): Promise<void> => {
      if (ran >= dieAt && when === 'before') throw new Died();
      await act(...args);
      if (ran++ >= dieAt) throw new Died();
    };
  const disk: FolderDisk = {
    ...nodeFolders,
    makeFolder: mayDie((parent: string, name: string) => nodeFolders.makeFolder(parent, name)),
    move: mayDie((from: Place, to: Place) => nodeFolders.move(from, to)),
    replace: mayDie((folder: string, name: string, content: string) =>
      nodeFolders.replace(folder, name, content),
    ),
    remove: mayDie((folder: string, name: string) => nodeFolders.remove(folder, name)),
  };
  return { disk, ran: () => ran };
}

/** Goal: a restore is there whole or not at all. Method: it is cut off at every step, and ended by the next start. */
it('is all or nothing, wherever it is cut off', async () => {
  const counted = mortal(Infinity, 'before');
  prepare(join(root, 'whole'));
  await new RestoreSwitch(join(root, 'whole'), counted.disk).begin(0);
  expect(whose(join(root, 'whole'))).toEqual(['new', 'new', 'new', 'new']);
  expect(counted.ran()).toBeGreaterThan(12);
  for (let dieAt = 0; dieAt < counted.ran(); dieAt++) {
    for (const when of ['before', 'after'] as const) {
      const dataDir = join(root, `${when}-${dieAt}`);
      prepare(dataDir);
      await expect(new RestoreSwitch(dataDir, mortal(dieAt, when).disk).begin(0)).rejects.toThrow(Died);
      // The first attempt to end it is cut off too.
      await new RestoreSwitch(dataDir, mortal(1, when).disk).resume().catch(() => undefined);
      await new RestoreSwitch(dataDir).resume();
      const wasBegun = dieAt > 0 || when === 'after';
      const expected = wasBegun ? 'new' : 'old';
      expect(whose(dataDir)).toEqual([expected, expected, expected, expected]);
      const kept = readdirSync(dataDir).filter((name) => name.startsWith('before-restore-'));
      expect(kept).toHaveLength(wasBegun ? 1 : 0);
      if (wasBegun) expect(whose(join(dataDir, kept[0] as string))).toEqual(['old', 'old', 'old', 'old']);
      const others = readdirSync(dataDir).filter((name) => !name.startsWith('before-restore-'));
      expect(others.sort()).toEqual(
        [
          'groups',
          'incarnation',
          'node.json',
          'snapshots',
          'wal',
          ...(wasBegun ? [] : ['rejoin.json']),
        ].sort(),
      );
      expect(await new RestoreSwitch(dataDir).resume()).toBeUndefined();
    }
  }
}, 60_000);

it('says where it is, when what marks a restore is damaged, and moves nothing', async () => {
  const dataDir = join(root, 'damaged');
  prepare(dataDir);
  const path = join(dataDir, 'restore.json');
  for (const text of [
    '{"format":1',
    '{"format":1,"phase":"kept","keptIn":"before-restore-1"}',
    '[]',
    'null',
  ]) {
    writeFileSync(path, text);
    await expect(new RestoreSwitch(dataDir).resume()).rejects.toThrow(path);
  }
  writeFileSync(path, '{"format":1,"phase":"placing","keptIn":"../elsewhere"}');
  await expect(new RestoreSwitch(dataDir).resume()).rejects.toThrow(path);
  expect(whose(dataDir)).toEqual(['old', 'old', 'old', 'old']);
});
