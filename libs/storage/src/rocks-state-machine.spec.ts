/**
 * Goal: the state machine comes to the same over RocksDB as over the store in memory, crashes included. Method: the same
 * random histories and rules; of a crash remain the files, with some of the unsynced end of RocksDB's log cut off.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupId } from '#contracts';
import { describeStateMachine } from '#testkit';
import type { RocksStateStore } from './rocks-state-store';
import { RocksStateStores } from './rocks-state-stores';

const GROUP = 7 as GroupId;

let root: string;
let copies = 0;
/** Where the store that is open lies, and how much of its log is synced. */
let folder = '';
let syncedBytes = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'state-machine-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** RocksDB's log: the newest file, after what older ones held has gone into table files. */
function logOf(from: string): string {
  const logs = readdirSync(from).filter((name) => name.endsWith('.log'));
  return join(from, logs.sort((left, right) => parseInt(left, 10) - parseInt(right, 10)).at(-1) as string);
}

async function open(from: string): Promise<RocksStateStore> {
  folder = from;
  const store = await new RocksStateStores({ folder }).open(GROUP);
  syncedBytes = 0;
  const flush = store.flush.bind(store);
  store.flush = async () => {
    await flush();
    syncedBytes = statSync(logOf(store.location)).size;
  };
  return store;
}

describeStateMachine(
  'RocksDB',
  {
    create: () => {
      if (folder !== '') rmSync(folder, { recursive: true });
      return open(join(root, String(copies++)));
    },
    crash: async (store, luck) => {
      const { location } = store as RocksStateStore;
      // A close leaves RocksDB's log as it is, and then nothing else touches the files.
      await store.close();
      const log = logOf(location);
      const unsynced = statSync(log).size - syncedBytes;
      truncateSync(log, syncedBytes + (luck % (unsynced + 1)));
      return open(folder);
    },
  },
  { runs: 60 },
);
