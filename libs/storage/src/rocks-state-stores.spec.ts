/** Goal: the real store keeps the port's rules, and its folders survive crashes at every step. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupId } from '#contracts';
import { StateCorruption } from '#replication';
import { describeStateStore } from '#testkit';
import { UnknownFolderFormat } from './generation-pointer';
import { StateStoreFailure } from './rocks-error';
import type { RocksStateStore } from './rocks-state-store';
import { RocksStateStores } from './rocks-state-stores';

const GROUP = 7 as GroupId;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

let root: string;
let stores: RocksStateStores;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'state-stores-'));
  stores = new RocksStateStores({ folder: join(root, 'groups') });
});
afterEach(() => rmSync(root, { recursive: true }));

let created = 0;
describeStateStore('RocksDB', {
  create: () => stores.open(++created as GroupId),
  reopen: async (store) => {
    await store.close();
    return stores.open(created as GroupId);
  },
});

describe('generations', () => {
  const value = async (): Promise<string | undefined> => {
    const store = await stores.open(GROUP);
    const found = store.get(bytes('k'));
    await store.close();
    return found && Buffer.from(found).toString();
  };
  const start = async (text: string): Promise<RocksStateStore> => {
    const store = await stores.open(GROUP);
    store.write({ puts: [[bytes('k'), bytes(text)]], deletes: [] });
    return store;
  };
  const folders = (): string[] => readdirSync(join(root, 'groups', String(GROUP))).sort();

  it('count once they are installed, and the one before is gone', async () => {
    const old = await start('old');
    const next = await stores.begin(GROUP);
    next.store.write({ puts: [[bytes('k'), bytes('new')]], deletes: [] });
    await next.install();
    await old.close();
    await next.cleanUp();
    expect(Buffer.from(next.store.get(bytes('k')) ?? []).toString()).toBe('new');
    await next.store.close();
    expect(folders()).toEqual(['2', 'CURRENT']);
    expect(await value()).toBe('new');
  });

  it('that were abandoned or left half built do not count', async () => {
    await (await start('old')).close();
    await (await stores.begin(GROUP)).abandon();
    const halfBuilt = await stores.begin(GROUP);
    await halfBuilt.store.close();
    writeFileSync(join(root, 'groups', String(GROUP), 'CURRENT.new'), 'agentst');
    expect(await value()).toBe('old');
    expect(folders()).toEqual(['1', 'CURRENT', 'CURRENT.new']);
  });

  it('that were begun before the first pointer was written leave an empty state', async () => {
    mkdirSync(join(root, 'groups', String(GROUP), '1'), { recursive: true });
    writeFileSync(join(root, 'groups', String(GROUP), '1', 'garbage'), 'x');
    expect(await value()).toBeUndefined();
  });

  it('are gone from the disk when the replica is destroyed', async () => {
    await (await start('old')).close();
    expect(await stores.groups()).toEqual([GROUP]);
    await stores.destroy(GROUP);
    expect(existsSync(join(root, 'groups', String(GROUP)))).toBe(false);
    expect(await stores.groups()).toEqual([]);
    await stores.destroy(GROUP);
  });

  it('are refused with a pointer of a newer program, a damaged pointer, or without what it names', async () => {
    await (await start('old')).close();
    const pointer = join(root, 'groups', String(GROUP), 'CURRENT');
    writeFileSync(pointer, 'agentstate-state 2\ngeneration 1\n');
    await expect(stores.open(GROUP)).rejects.toThrow(UnknownFolderFormat);
    writeFileSync(pointer, '');
    await expect(stores.open(GROUP)).rejects.toThrow(StateCorruption);
    writeFileSync(pointer, 'agentstate-state 1\ngeneration 5\n');
    await expect(stores.open(GROUP)).rejects.toThrow(StateCorruption);
  });

  it('stay on the disk while the one that counts cannot be opened', async () => {
    await (await start('old')).close();
    const pointer = join(root, 'groups', String(GROUP), 'CURRENT');
    writeFileSync(pointer, 'agentstate-state 1\ngeneration 5\n');
    await expect(stores.open(GROUP)).rejects.toThrow(StateCorruption);
    writeFileSync(pointer, 'agentstate-state 1\ngeneration 1\n');
    expect(await value()).toBe('old');
  });

  it('cannot be opened twice at once', async () => {
    const store = await start('old');
    await expect(stores.open(GROUP)).rejects.toThrow(StateStoreFailure);
    await store.close();
  });
});

describe('a crash', () => {
  /** What a lost tail of unsynced bytes leaves: a copy of the files as they are, with RocksDB's log cut short. */
  it('leaves some first part of what was written, and all of it up to the last flush', async () => {
    const store = await stores.open(GROUP);
    const write = (count: number): void =>
      store.write({
        puts: [
          [bytes(`k${count}`), Buffer.alloc(100)],
          [bytes('last'), bytes(String(count))],
        ],
        deletes: [],
      });
    const folder = join(root, 'groups', String(GROUP), '1');
    const log = (): string => readdirSync(folder).find((name) => name.endsWith('.log')) as string;
    for (let count = 1; count <= 10; count++) write(count);
    await store.flush();
    const syncedBytes = statSync(join(folder, log())).size;
    for (let count = 11; count <= 40; count++) write(count);
    const allBytes = statSync(join(folder, log())).size;
    const kept = new Set<number>();
    for (let cut = syncedBytes; cut <= allBytes; cut += 293) {
      const copy = join(root, `copy-${cut}`);
      cpSync(join(root, 'groups'), copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') });
      truncateSync(join(copy, String(GROUP), '1', log()), cut);
      const recovered = await new RocksStateStores({ folder: copy }).open(GROUP);
      const last = Number(Buffer.from(recovered.get(bytes('last')) ?? []).toString());
      const keys = [...recovered.scan({ gte: bytes('k'), lt: bytes('l') })];
      expect(keys).toHaveLength(last);
      expect(last).toBeGreaterThanOrEqual(10);
      kept.add(last);
      await recovered.close();
    }
    expect(kept.size).toBeGreaterThan(10);
    await store.close();
  }, 60_000);
});

describe('damage', () => {
  const tableFile = async (): Promise<string> => {
    let store = await stores.open(GROUP);
    for (let count = 0; count < 4_000; count++) {
      store.write({ puts: [[bytes(`k${count}`), Buffer.alloc(1_000, String(count))]], deletes: [] });
    }
    await store.close();
    store = await stores.open(GROUP);
    await store.close();
    const folder = join(root, 'groups', String(GROUP), '1');
    return join(folder, readdirSync(folder).find((name) => name.endsWith('.sst')) as string);
  };
  const readAll = async (): Promise<void> => {
    const store = await stores.open(GROUP);
    try {
      for (const [key] of store.scan({ gte: bytes('a'), lt: bytes('z') })) store.get(key);
    } finally {
      await store.close();
    }
  };

  it('that a read meets is told of, beside the error that the reader gets', async () => {
    const path = await tableFile();
    const content = readFileSync(path);
    const middle = Math.floor(content.length / 2);
    content.fill(0x55, middle, middle + 64);
    writeFileSync(path, content);
    const told: string[] = [];
    const onCorruption = ({ name, location }: StateCorruption): void => void told.push(`${name} ${location}`);
    const store = await new RocksStateStores({ folder: join(root, 'groups'), onCorruption }).open(GROUP);
    expect(() => [...store.scan({ gte: bytes('a'), lt: bytes('z') })]).toThrow(StateCorruption);
    expect(told).toEqual([`StateCorruption ${store.location}`]);
    await store.close();
  });

  it('of a table file is found by its checksum', async () => {
    const path = await tableFile();
    const content = readFileSync(path);
    const middle = Math.floor(content.length / 2);
    content.fill(0x55, middle, middle + 64);
    writeFileSync(path, content);
    await expect(readAll()).rejects.toThrow(StateCorruption);
  }, 60_000);

  it('by a missing table file is found', async () => {
    rmSync(await tableFile());
    await expect(readAll()).rejects.toThrow(StateCorruption);
  }, 60_000);
});
