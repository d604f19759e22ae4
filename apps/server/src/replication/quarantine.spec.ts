import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memberId, type NodeName } from '#contracts';
import type { NodeIdentity } from '#replication';
import { Quarantine } from './quarantine';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const FOLDER = 'quarantine-2026-01-02T03-04-05-000Z';

const founder = (at: number) => ({
  member: memberId(at),
  name: `node-${at}` as NodeName,
  region: 'local',
  host: `host-${at}`,
  port: 7400,
  incarnation: `${at}`.repeat(32),
});
const IDENTITY: NodeIdentity = {
  clusterId: 'c'.repeat(32),
  member: memberId(1),
  name: 'node-1' as NodeName,
  incarnation: '1'.repeat(32),
  founders: [founder(1), founder(2), founder(3)],
  founder: true,
  begun: true,
};
const PEERS = [
  { host: 'host-2', port: 7400 },
  { host: 'host-3', port: 7400 },
];

/**
 * The goal: nothing of a damaged identity can act again, wherever the move is cut off. The method: a folder as a node
 * leaves it, and the states that a crash can leave between two renames.
 */
describe('the quarantine', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentstate-quarantine-'));
    for (const name of ['wal', 'groups']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'data'), name);
    }
    for (const name of ['node.json', 'incarnation']) writeFileSync(join(folder, name), name);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('moves everything of the identity aside, and knows whom to ask until there is a new one', async () => {
    const quarantine = new Quarantine(folder);
    await quarantine.resume();
    expect(quarantine.peers).toBeUndefined();
    expect(await quarantine.begin(IDENTITY, NOW_MS)).toBe(join(folder, FOLDER));
    expect(readdirSync(folder).sort()).toEqual([FOLDER, 'rejoin.json']);
    expect(readdirSync(join(folder, FOLDER)).sort()).toEqual(['groups', 'incarnation', 'node.json', 'wal']);
    expect(readFileSync(join(folder, FOLDER, 'wal', 'data'), 'utf8')).toBe('wal');

    const restarted = new Quarantine(folder);
    await restarted.resume();
    expect(restarted.peers).toEqual(PEERS);
    await restarted.finish();
    expect(restarted.peers).toBeUndefined();
    expect(readdirSync(folder)).toEqual([FOLDER]);
  });

  test.each([0, 1, 2, 3])('goes on where a crash cut it off, after %i renames', async (renames) => {
    await new Quarantine(folder).begin(IDENTITY, NOW_MS);
    const marker = JSON.parse(readFileSync(join(folder, 'rejoin.json'), 'utf8')) as object;
    writeFileSync(join(folder, 'rejoin.json'), JSON.stringify({ ...marker, phase: 'moving' }));
    for (const name of ['node.json', 'incarnation', 'wal', 'groups'].slice(renames)) {
      renameSync(join(folder, FOLDER, name), join(folder, name));
    }
    const restarted = new Quarantine(folder);
    await restarted.resume();
    expect(restarted.peers).toEqual(PEERS);
    expect(readdirSync(folder).sort()).toEqual([FOLDER, 'rejoin.json']);
  });

  test('is done by the next start when a running node plans it', async () => {
    const quarantine = new Quarantine(folder);
    expect(await quarantine.resume()).toBeUndefined();
    quarantine.plan(IDENTITY, NOW_MS);
    expect(readdirSync(folder).sort()).toEqual(['groups', 'incarnation', 'node.json', 'rejoin.json', 'wal']);

    const restarted = new Quarantine(folder);
    expect(await restarted.resume()).toBe(join(folder, FOLDER));
    expect(restarted.peers).toEqual(PEERS);
    expect(readdirSync(folder).sort()).toEqual([FOLDER, 'rejoin.json']);
    expect(readdirSync(join(folder, FOLDER)).sort()).toEqual(['groups', 'incarnation', 'node.json', 'wal']);
    expect(await new Quarantine(folder).resume()).toBeUndefined();
  });

  test('is over when the new identity is on disk, also when the end of it was cut off', async () => {
    await new Quarantine(folder).begin(IDENTITY, NOW_MS);
    writeFileSync(join(folder, 'node.json'), 'the new one');
    const restarted = new Quarantine(folder);
    await restarted.resume();
    expect(restarted.peers).toBeUndefined();
    expect(existsSync(join(folder, 'rejoin.json'))).toBe(false);
    expect(readFileSync(join(folder, 'node.json'), 'utf8')).toBe('the new one');
  });
});
