import { META_GROUP, type LogEntry, type LogIndex } from '#contracts';
import {
  DEFAULT_GROUP,
  rollForward,
  type SnapshotPart,
  type SnapshotRecord,
  type StateStore,
} from '#replication';
import { partName, readPart } from '#snapshots';
import { openDump, rowsOfPiece } from '#state-machine';
import { MemoryStateStore } from '../memory-state-store';
import { sha256 } from '../state-replay';
import { LoneNode, SNAPSHOT_FOLDER, type NodeRun } from './lone-node';

const NS = 'agent://test';
/** Small, so that each trim removes several. */
const SEGMENT_BYTES = 2_048;
const OBJECTS = 8;
const ENTRY_BYTES = 1 << 20;
const SEED = Number(process.env['SNAPSHOT_CRASH_SEED'] ?? 20261127);
const FATES = 2;
/** Longer than a node waits for the parts of a snapshot. */
const GIVEN_UP_MS = 700_000;

/** What the node has promised, and what it is asked at the moment. */
class Promised {
  readonly objects = new Map<string, number>();
  /** It may have happened, or not. */
  asked: { readonly id: string; readonly value: number } | undefined;
  readonly snapshots: SnapshotRecord[] = [];
  /** The newest snapshot that the log was asked to be trimmed to. */
  trimmedTo: SnapshotRecord | undefined;

  matches(found: ReadonlyMap<string, number>): boolean {
    const { objects, asked } = this;
    const withAsked = asked === undefined ? objects : new Map(objects).set(asked.id, asked.value);
    return [objects, withAsked].some((state) => text(state) === text(found));
  }
}

const text = (objects: ReadonlyMap<string, number>): string => JSON.stringify([...objects].sort());

async function put({ node }: NodeRun, promised: Promised, id: string, value: number): Promise<void> {
  promised.asked = { id, value };
  const body = JSON.stringify({ value, text: 'x'.repeat(300) });
  const operation = { op: 'put', id, type: 'thing', bodyJson: body, tags: {}, parents: [] } as const;
  const outcome = await node.engine.write(
    { kind: 'write', ns: NS, operations: [operation] },
    { timeoutMs: 60_000 },
  );
  if (outcome.kind === 'rejected') throw new Error(outcome.detail);
  promised.objects.set(id, value);
  promised.asked = undefined;
}

async function snapshot({ node }: NodeRun, promised: Promised): Promise<SnapshotRecord> {
  const record = await node.engine.snapshots.take();
  promised.snapshots.push(record);
  return record;
}

async function trim({ node }: NodeRun, promised: Promised, record: SnapshotRecord): Promise<number> {
  promised.trimmedTo = record;
  return (await node.engine.snapshots.trim(record.snapshotId)).length;
}

/** Writes, snapshots, and trims to the older and to the newer one, with more writes after each. */
async function workload(run: NodeRun, promised: Promised): Promise<number> {
  let value = 0;
  let removed = 0;
  const writes = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) await put(run, promised, `o${value % OBJECTS}`, ++value);
  };
  await writes(12);
  const older = await snapshot(run, promised);
  await writes(6);
  removed += await trim(run, promised, older);
  await writes(3);
  const newer = await snapshot(run, promised);
  await writes(3);
  removed += await trim(run, promised, newer);
  await writes(2);
  return removed;
}

async function objectsOf({ node }: NodeRun): Promise<Map<string, number>> {
  const request = { kind: 'list', ns: NS, limit: 100 } as const;
  const answer = await node.engine.read(request, {
    consistency: { kind: 'linearizable' },
    timeoutMs: 60_000,
  });
  if (answer.outcome.kind !== 'page') throw new Error(`a list answered ${answer.outcome.kind}`);
  return new Map(answer.outcome.objects.map(valueOf));
}

function valueOf(json: Uint8Array): readonly [id: string, value: number] {
  const { id, body } = JSON.parse(Buffer.from(json).toString()) as { id: string; body: { value: number } };
  return [id, body.value];
}

/** What is listed is whole, what was acknowledged is listed, and what no trim was asked for leads on to now. */
async function expectSnapshots(host: LoneNode, run: NodeRun, promised: Promised): Promise<void> {
  const listed = run.archive.records();
  const ids = listed.map(({ snapshotId }) => snapshotId);
  expect(ids).toEqual(expect.arrayContaining(promised.snapshots.map(({ snapshotId }) => snapshotId)));
  const now = await objectsOf(run);
  const oldestKept = promised.trimmedTo?.parts.find(({ group }) => group === DEFAULT_GROUP)?.index ?? 0;
  for (const { snapshotId, parts } of listed) {
    expect(parts.map(({ group }) => group)).toEqual([META_GROUP, DEFAULT_GROUP]);
    for (const part of parts) {
      const store = new MemoryStateStore();
      const path = `${SNAPSHOT_FOLDER}/${partName(snapshotId, part.group)}`;
      const onPiece = (bytes: Uint8Array): void =>
        store.write({ puts: [...rowsOfPiece(bytes)], deletes: [] });
      const read = await readPart({ disk: host.disk, path, digest: sha256, onPiece });
      expect([read.snapshotId, read.part.digest, read.bytes]).toEqual([snapshotId, part.digest, part.bytes]);
      if (part.group !== DEFAULT_GROUP || part.index < oldestKept) continue;
      await rollForward({
        store,
        digest: sha256,
        entries: entriesAfter(run, part),
        target: { kind: 'latest' },
      });
      expect(text(dumped(store))).toBe(text(now));
    }
  }
}

/**
 * One that the log named is taken again after a start. Where a group's state was past it already, its parts never
 * come together: it is given up after a while, and what was written of it goes.
 */
async function expectNothingElse(host: LoneNode, { archive }: NodeRun): Promise<void> {
  const names = archive
    .records()
    .flatMap(({ snapshotId, parts }) => parts.map(({ group }) => partName(snapshotId, group)));
  const stray = (): readonly string[] =>
    host.disk.list(SNAPSHOT_FOLDER).filter((name) => name !== 'MANIFEST' && !names.includes(name));
  if (stray().length > 0) {
    host.passTime(GIVEN_UP_MS);
    // Removals happen one after the other: this one waits for those that time has brought.
    await host.drive(archive.discard('none'));
  }
  expect(stray()).toEqual([]);
  const expected = /^the snapshot snap-\d was not taken: its parts did not come together in time$/;
  expect(host.warnings.filter((warning) => !expected.test(warning))).toEqual([]);
}

function entriesAfter({ log }: NodeRun, { group, index }: SnapshotPart): readonly LogEntry[] {
  const state = log.state(group);
  if (state === undefined) throw new Error(`the log has nothing of group ${group}`);
  const [low, high] = [(index + 1) as LogIndex, (state.lastIndex + 1) as LogIndex];
  return low === high ? [] : log.entries(group, low, high, ENTRY_BYTES);
}

function dumped(store: StateStore): Map<string, number> {
  const dump = openDump(store, 1_700_000_000_000, { ns: NS });
  return new Map(dump.next(ENTRY_BYTES).map(valueOf));
}

const segmentsOf = (host: LoneNode): number =>
  host.disk.list('wal').filter((name) => name.endsWith('.wal')).length;

/**
 * Goal: a snapshot or a trim that is cut off costs nothing that was acknowledged, lists nothing half, and takes no
 * entry that the snapshot does not hold. Method: a real node over a simulated disk, cut off after each operation by
 * a kill or by a crash of the machine that loses, keeps or tears what was not synced; its next start is cut off too.
 */
test('a node survives being cut off after every operation of snapshots and trims', async () => {
  const whole = new LoneNode(SEED, SEGMENT_BYTES);
  const first = await whole.drive(whole.boot());
  const begun = whole.disk.history.length;
  const removed = await whole.drive(workload(first as NodeRun, new Promised()));
  expect(removed).toBeGreaterThan(4);
  const total = whole.disk.history.length;
  for (let operations = begun; operations <= total; operations++) {
    for (let fate = 0; fate < FATES; fate++) {
      try {
        await cutOff(operations, fate);
      } catch (cause) {
        throw new Error(
          `SNAPSHOT_CRASH_SEED=${SEED}, after operation ${operations} of ${total}, fate ${fate}`,
          { cause },
        );
      }
    }
  }
}, 240_000);

async function cutOff(operations: number, fate: number): Promise<void> {
  const host = new LoneNode(SEED + operations * FATES + fate, SEGMENT_BYTES);
  const promised = new Promised();
  const run = await host.drive(host.boot());
  await host.drive(workload(run as NodeRun, promised), operations);
  await host.crash(fate > 0);
  const before = host.disk.history.length;
  await host.drive(host.boot(), before + ((operations * 7) % 12));
  await host.crash(fate > 0);

  const again = await host.drive(host.boot());
  if (again === undefined) throw new Error('the node did not start');
  const found = await host.drive(objectsOf(again));
  if (found === undefined || !promised.matches(found)) {
    throw new Error(`found ${text(found ?? new Map())}, promised ${text(promised.objects)}`);
  }
  await host.drive(expectSnapshots(host, again, promised));
  await goOn(host, again, promised);
}

/** It goes on as if nothing had been: what the first trim could not end, the next one does. */
async function goOn(host: LoneNode, run: NodeRun, promised: Promised): Promise<void> {
  promised.asked = undefined;
  const found = (await host.drive(objectsOf(run))) as Map<string, number>;
  promised.objects.clear();
  for (const [id, value] of found) promised.objects.set(id, value);
  await host.drive(put(run, promised, 'last', 1));
  const record = (await host.drive(snapshot(run, promised))) as SnapshotRecord;
  await host.drive(trim(run, promised, record));
  expect(segmentsOf(host)).toBeLessThanOrEqual(3);
  const floor = run.log.state(DEFAULT_GROUP)?.floorIndex;
  expect(floor).toBe(record.parts.find(({ group }) => group === DEFAULT_GROUP)?.index);
  await host.drive(expectSnapshots(host, run, promised));
  await expectNothingElse(host, run);
}
