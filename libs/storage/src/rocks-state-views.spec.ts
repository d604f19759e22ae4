/**
 * Goal: the states of a stopped node are looked at, and not a byte of its folder changes, nor a name, nor a time of
 * change. Method: states with table files and with rows in RocksDB's own log alone, as a kill leaves them.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupId } from '#contracts';
import { StateCorruption } from '#replication';
import { isKnownInUse, lockFolder, lockUntouched } from './folder-lock';
import { RocksStateStores } from './rocks-state-stores';
import { RocksStateViews } from './rocks-state-views';

const GROUP = 7 as GroupId;
const ROWS = 6_000;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const ALL = { gte: bytes('a'), lt: bytes('z') };

let root: string;
let dataDir: string;
let groups: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'state-views-'));
  dataDir = join(root, 'data');
  groups = join(dataDir, 'groups');
  mkdirSync(dataDir);
});
afterEach(() => rmSync(root, { recursive: true }));

/** All that is under a folder: names, contents, and when they were changed. */
function all(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mtimeMs, size } = statSync(path);
      const isFile = statSync(path).isFile();
      return `${name} ${mtimeMs} ${size} ${isFile ? readFileSync(path).toString('base64') : ''}`;
    });
}

const temporary = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('agentstate-view-'));

/** A folder as a kill leaves it: some rows in table files, the last ones in RocksDB's log alone. */
async function killed(): Promise<void> {
  const alive = join(root, 'alive');
  const stores = new RocksStateStores({ folder: alive });
  const write = (store: Awaited<ReturnType<typeof stores.open>>, from: number, to: number): void => {
    for (let row = from; row < to; row++) {
      store.write({ puts: [[bytes(`k${row}`), Buffer.alloc(1_000, String(row))]], deletes: [] });
    }
  };
  const first = await stores.open(GROUP);
  write(first, 0, ROWS - 10);
  await first.close();
  // The next opening puts into table files what the log holds.
  const second = await stores.open(GROUP);
  write(second, ROWS - 10, ROWS);
  await second.flush();
  cpSync(alive, groups, { recursive: true });
  await second.close();
  const files = readdirSync(join(groups, String(GROUP), '1'));
  expect(files.filter((name) => name.endsWith('.sst')).length).toBeGreaterThan(0);
}

it('all rows are seen, and nothing is changed', async () => {
  await killed();
  const [before, others] = [all(dataDir), temporary()];
  const views = new RocksStateViews(groups);
  expect(await views.groups()).toEqual([GROUP]);
  const view = await views.open(GROUP);
  expect([...view.state.scan(ALL)]).toHaveLength(ROWS);
  expect(view.state.get(bytes(`k${ROWS - 1}`))).toEqual(Buffer.alloc(1_000, String(ROWS - 1)));
  expect(all(dataDir)).toEqual(before);
  await view.close();
  expect(all(dataDir)).toEqual(before);
  expect(temporary()).toEqual(others);
  // Whoever opens it for good comes to the same.
  const store = await new RocksStateStores({ folder: groups }).open(GROUP);
  expect([...store.scan(ALL)]).toHaveLength(ROWS);
  await store.close();
});

it('a state that was not begun is empty, and stays that', async () => {
  mkdirSync(join(groups, String(GROUP)), { recursive: true });
  const before = all(dataDir);
  const view = await new RocksStateViews(groups).open(GROUP);
  expect([...view.state.scan(ALL)]).toEqual([]);
  await view.close();
  expect(all(dataDir)).toEqual(before);
});

it('damage is told with the folder that it is in', async () => {
  await killed();
  const folder = join(groups, String(GROUP), '1');
  for (const name of readdirSync(folder)) if (name.endsWith('.sst')) rmSync(join(folder, name));
  const [before, others] = [all(dataDir), temporary()];
  const opened = new RocksStateViews(groups).open(GROUP);
  await expect(opened).rejects.toThrow(StateCorruption);
  await expect(opened).rejects.toThrow(folder);
  expect([all(dataDir), temporary()]).toEqual([before, others]);
});

describe('a claim that changes nothing', () => {
  /** Between processes e2e/dump.e2e.ts looks: the kernel's locks do not hold within one. */
  it('is one to the kernel', async () => {
    await (await lockFolder(dataDir)).release();
    const before = all(dataDir);
    const looking = await lockUntouched(dataDir);
    expect(await isKnownInUse(dataDir)).toBe(true);
    await looking.release();
    expect(await isKnownInUse(dataDir)).toBe(false);
    expect(all(dataDir)).toEqual(before);
  });

  it('of a folder that nobody ever claimed leaves it so', async () => {
    writeFileSync(join(dataDir, 'file'), 'x');
    const before = all(dataDir);
    await (await lockUntouched(dataDir)).release();
    expect(all(dataDir)).toEqual(before);
  });
});
