import type { LogIndex } from '#contracts';
import { DEFAULT_GROUP, type SnapshotRecord } from '#replication';
import { diskError } from '../sim-disk';
import { LoneNode, SNAPSHOT_FOLDER, type NodeRun } from './lone-node';
import { LIMITS_OF_A_RUN } from './node-settings';

const NS = 'agent://test';
const SEED = 20261127;
const SEGMENT_BYTES = 4_096;
/** Longer than a round of housekeeping takes, and than the wait between two snapshots that the log asks for. */
const ROUND_MS = 500;
const RELEASE_MS = 70_000;
const TIMEOUT_MS = 120_000;
/** Bounds a hang: a round of housekeeping is a few hundred turns of the loop. */
const MOST_TURNS = 50_000;
const LARGE = Number.MAX_SAFE_INTEGER;

jest.setTimeout(TIMEOUT_MS);

async function put({ node }: NodeRun, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const bodyJson = JSON.stringify('x'.repeat(300));
    const operation = {
      op: 'put',
      id: `o${at % 8}`,
      type: 'thing',
      bodyJson,
      tags: {},
      parents: [],
    } as const;
    const outcome = await node.engine.write(
      { kind: 'write', ns: NS, operations: [operation] },
      { timeoutMs: 60_000 },
    );
    if (outcome.kind === 'rejected') throw new Error(outcome.detail);
  }
}

const take = ({ node }: NodeRun): Promise<SnapshotRecord> => node.engine.snapshots.take();

const pointOf = (record: SnapshotRecord | undefined): LogIndex =>
  record?.parts.find(({ group }) => group === DEFAULT_GROUP)?.index ?? (0 as LogIndex);

const snapshotsOnDisk = ({ disk }: LoneNode): readonly string[] => {
  const files = disk.list(SNAPSHOT_FOLDER).filter((name) => name !== 'MANIFEST');
  return [...new Set(files.map((name) => name.split('.')[0] as string))].sort();
};

const newestPoint = ({ archive }: NodeRun): LogIndex => pointOf(archive.records().at(-1));

const floorOf = ({ log }: NodeRun): number => log.state(DEFAULT_GROUP)?.floorIndex ?? 0;

const idsOf = ({ archive }: NodeRun): readonly string[] =>
  archive.records().map(({ snapshotId }) => snapshotId);

async function booted(host: LoneNode): Promise<NodeRun> {
  const run = await host.drive(host.boot());
  if (run === undefined) throw new Error('the node did not start');
  return run;
}

/** Lets the node go on until the condition holds; fails with what it waited for. */
async function until(host: LoneNode, what: string, condition: () => boolean): Promise<void> {
  const waits = async (): Promise<void> => {
    for (let turn = 0; !condition(); turn++) {
      if (turn === MOST_TURNS) throw new Error(`not in time: ${what}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await host.drive(waits());
}

/** Some rounds of housekeeping, for what must not happen in them. */
async function rounds(host: LoneNode): Promise<void> {
  for (let round = 0; round < 10; round++) {
    host.passTime(ROUND_MS);
    let turns = 0;
    await until(host, 'some turns', () => ++turns > 20);
  }
}

/**
 * Goal: snapshots beyond the number that is kept go, oldest first and never the newest, and so does the log that they
 * alone were rolled forward through; what the others need stays. Method: a real node over a simulated disk.
 */
describe('the number of snapshots that are kept', () => {
  const KEEP = 2;

  test('older ones go, with their files and their log, also after a crash', async () => {
    const host = new LoneNode(SEED, SEGMENT_BYTES, {
      snapshotPolicy: { intervalMs: 0, keep: KEEP, logBytes: LARGE },
    });
    let run = await booted(host);
    const taken: SnapshotRecord[] = [];
    for (let count = 1; count <= 5; count++) {
      await host.drive(put(run, 60));
      taken.push((await host.drive(take(run))) as SnapshotRecord);
      const kept = taken.slice(-KEEP);
      const ids = kept.map(({ snapshotId }) => snapshotId);
      await until(host, `only ${ids.join(', ')}`, () => idsOf(run).join() === ids.join());
      await until(host, 'the files of those alone', () => snapshotsOnDisk(host).join() === ids.join());
      if (count <= KEEP) continue;
      // Nothing but the oldest one that is kept holds the log, and it holds all of its own.
      await host.drive(put(run, 60));
      const held = pointOf(kept[0]);
      await until(host, `the log from entry ${held} on`, () => floorOf(run) === held);
    }
    await host.crash(true);
    run = await booted(host);
    expect(idsOf(run)).toEqual(taken.slice(-KEEP).map(({ snapshotId }) => snapshotId));
    await host.drive(put(run, 60));
    await rounds(host);
    expect(floorOf(run)).toBe(pointOf(taken.at(-KEEP)));
  });

  test('one that is kept is always the newest', async () => {
    const host = new LoneNode(SEED, SEGMENT_BYTES, {
      snapshotPolicy: { intervalMs: 0, keep: 1, logBytes: LARGE },
    });
    const run = await booted(host);
    for (let count = 0; count < 3; count++) {
      await host.drive(put(run, 5));
      const record = (await host.drive(take(run))) as SnapshotRecord;
      // From its answer on it is there, and the one before may still be.
      expect(idsOf(run).at(-1)).toBe(record.snapshotId);
      await until(host, 'the newest alone', () => idsOf(run).length === 1);
      expect(idsOf(run)).toEqual([record.snapshotId]);
    }
  });

  test('without a number all are kept, and the log behind the oldest', async () => {
    const host = new LoneNode(SEED, SEGMENT_BYTES, {
      snapshotPolicy: { intervalMs: 0, keep: 0, logBytes: LARGE },
    });
    const run = await booted(host);
    await host.drive(put(run, 60));
    const first = (await host.drive(take(run))) as SnapshotRecord;
    for (let count = 0; count < 4; count++) {
      await host.drive(put(run, 60));
      await host.drive(take(run));
    }
    await until(host, 'a trim', () => floorOf(run) === pointOf(first));
    await rounds(host);
    expect([idsOf(run).length, floorOf(run)]).toEqual([5, pointOf(first)]);
  });
});

/**
 * Goal: the log behind the newest snapshot is never let go of by the node itself, however large it is and however
 * full the disk; a newer snapshot is taken for that, or it is told. Method: a real node over a simulated disk.
 */
describe('a log that has outgrown its bound', () => {
  const LOG_BYTES = 12 * SEGMENT_BYTES;
  const policy = { intervalMs: 0, keep: 0, logBytes: LOG_BYTES };

  test('has a snapshot taken, and shrinks behind it', async () => {
    const host = new LoneNode(SEED, SEGMENT_BYTES, { snapshotPolicy: policy });
    const run = await booted(host);
    await host.drive(take(run));
    for (let count = 0; count < 24; count++) {
      await host.drive(put(run, 30));
      host.passTime(RELEASE_MS / 10);
      await rounds(host);
      expect(floorOf(run)).toBeLessThanOrEqual(newestPoint(run));
    }
    expect(run.archive.records().length).toBeGreaterThan(2);
    expect(floorOf(run)).toBeGreaterThan(pointOf(run.archive.records()[0]));
    expect(run.log.stats().bytes).toBeLessThan(2 * LOG_BYTES);
    expect(host.heldLog).toEqual([]);
  });

  test('stays where no snapshot comes to be, which is told, and shrinks when one does', async () => {
    const host = new LoneNode(SEED, SEGMENT_BYTES, { snapshotPolicy: policy });
    const run = await booted(host);
    const only = (await host.drive(take(run))) as SnapshotRecord;
    host.disk.inject = ({ kind, path }) =>
      kind === 'write' && path.startsWith(SNAPSHOT_FOLDER) ? diskError('EIO') : undefined;
    for (let count = 0; count < 30; count++) {
      await host.drive(put(run, 20));
      host.passTime(RELEASE_MS / 10);
      await rounds(host);
      expect(floorOf(run)).toBeLessThanOrEqual(pointOf(only));
    }
    expect(run.log.stats().bytes).toBeGreaterThan(2 * LOG_BYTES);
    expect([host.heldLog, idsOf(run)]).toEqual([[true], [only.snapshotId]]);
    expect(host.warnings.join()).toContain('was not taken: EIO');

    host.disk.inject = undefined;
    host.passTime(RELEASE_MS);
    await until(host, 'a snapshot', () => idsOf(run).length === 2);
    await until(host, 'a log within its bounds', () => host.heldLog.length === 2);
    expect(host.heldLog).toEqual([true, false]);
    expect(floorOf(run)).toBeGreaterThan(pointOf(only));
    expect(floorOf(run)).toBeLessThanOrEqual(newestPoint(run));
  });

  test('stays on a disk that is nearly full, which is told', async () => {
    const host = new LoneNode(SEED, SEGMENT_BYTES, { snapshotPolicy: { ...policy, logBytes: LARGE } });
    const run = await booted(host);
    const only = (await host.drive(take(run))) as SnapshotRecord;
    await host.drive(put(run, 60));
    const { capacityBytes } = host.disk;
    host.disk.capacityBytes = host.disk.usedBytes + LIMITS_OF_A_RUN.log.lowWaterBytes;
    await expect(host.drive(put(run, 60))).rejects.toThrow('nearly full');
    await until(host, 'word of it', () => host.heldLog.length === 1);
    await rounds(host);
    expect([host.heldLog, floorOf(run)]).toEqual([[true], pointOf(only)]);
    await expect(host.drive(take(run))).rejects.toThrow('no room for a snapshot');

    host.disk.capacityBytes = capacityBytes;
    await until(host, 'word of that', () => host.heldLog.length === 2);
    expect(host.heldLog).toEqual([true, false]);
  });
});
