import { randomBytes } from 'node:crypto';
import path from 'node:path';
import {
  META_GROUP,
  NO_MEMBER,
  type CommitSeq,
  type GroupId,
  type LogIndex,
  type NodeName,
} from '#contracts';
import type { NodeIdentity, RestoredGroup, RolledState, RollTarget, SnapshotPart } from '#replication';
import type { RocksStateStore, RocksStateStores } from '#storage';
import { readWholePart } from '../data/check-parts';
import { placesIn } from '../data/data-folder';
import { sha256 } from '../data/sha256';
import { CommandFailure } from '../terminal';
import { lastPosition } from './last-position';
import type { RestorePlan } from './restore-plan';

/** How far a restore has come, from 0 to 1, and what it is at. */
export type OnProgress = (what: string, share: number) => void;

export interface Restored {
  readonly identity: NodeIdentity;
  readonly groups: readonly RestoredGroup[];
  readonly rolled: readonly (RolledState & { readonly group: GroupId })[];
}

const DEFAULT_PEER_PORT = 7400;
/**
 * Nothing else runs beside it, so a restore takes more than a node's states do: with their share the indexes and
 * filters of a million objects push each other out of the cache, and every entry that is rolled forward waits for them.
 */
const STATE_MEMORY = { cacheBytes: 256 * 1024 * 1024, writeBufferBytes: 256 * 1024 * 1024 } as const;
/** The restored log holds a few records; the node goes on in segments of its own size. */
const LOG_SEGMENT_BYTES = 1024 * 1024;

/**
 * Builds the restored node in `building`, which is empty, from what the plan has checked; all of it is synced when
 * this resolves. Everything that is read is checked once more.
 */
export async function buildRestored(
  plan: RestorePlan,
  building: string,
  options: { readonly nowMs: number; readonly onProgress: OnProgress },
): Promise<Restored> {
  const { RocksStateStores, IdentityFile } = await import('#storage');
  const { beginAlone, takeOverMeta } = await import('#replication');
  const { record, dataDir } = plan;
  const memory = { ...STATE_MEMORY, shares: Math.max(1, record.parts.length - 1) };
  const stores = new RocksStateStores({ folder: path.join(building, 'groups'), memory });
  const opened = new Map<GroupId, RocksStateStore>();
  try {
    for (const part of record.parts) {
      const store = await stores.open(part.group);
      opened.set(part.group, store);
      await load(plan, part, store, options.onProgress);
    }
    const meta = opened.get(META_GROUP);
    if (meta === undefined)
      throw new CommandFailure('the snapshot has no part of group 0, the cluster itself');
    const lastSeq = await lastPosition(plan, meta);
    const rolled = await rollAll(plan, { stores, opened }, options.onProgress);
    const identities = new IdentityFile(building);
    const incarnation = await identities.incarnation();
    const name = (plan.nodeId ?? plan.identity?.name ?? record.node.name) as NodeName;
    const before = plan.identity?.founders.find((founder) => founder.name === name);
    const self = {
      name,
      region: before?.region ?? record.node.region,
      host: before?.host ?? '127.0.0.1',
      port: before?.port ?? DEFAULT_PEER_PORT,
      incarnation,
    };
    const known = plan.identity?.member ?? record.node.member;
    const timeMs = options.nowMs;
    const member = takeOverMeta(meta, { ...self, member: known }, { digest: sha256, timeMs });
    const groups: RestoredGroup[] = [];
    for (const [group, store] of opened) {
      groups.push(beginAlone(store, group, { member, lastSeq }));
      await store.flush();
    }
    await beginLog(path.join(building, 'wal'), groups);
    const identity: NodeIdentity = {
      clusterId: randomBytes(16).toString('hex'),
      member,
      name,
      incarnation,
      founders: [{ ...self, member }],
      founder: true,
      begun: true,
    };
    await identities.save(identity);
    return { identity, groups, rolled };
  } finally {
    for (const store of opened.values()) await store.close();
  }

  async function load(
    { record: from }: RestorePlan,
    part: SnapshotPart,
    store: RocksStateStore,
    onProgress: OnProgress,
  ): Promise<void> {
    const { rowsOfPiece } = await import('#state-machine');
    await readWholePart(dataDir, from, part, (bytes, position) => {
      store.write({ puts: [...rowsOfPiece(bytes)], deletes: [] });
      onProgress(`group ${part.group}: rows`, position / part.bytes);
    });
  }
}

/**
 * Carries every group forward to one moment: the one whose position was named first, the others to its time. Groups that
 * were begun after the snapshot, and are there at that moment, come whole from the log.
 */
async function rollAll(
  plan: RestorePlan,
  { stores, opened }: { readonly stores: RocksStateStores; readonly opened: Map<GroupId, RocksStateStore> },
  onProgress: OnProgress,
): Promise<Restored['rolled']> {
  const { target, seqGroup, dataDir, record } = plan;
  if (target.kind === 'snapshot') return [];
  const { beginState, groupsOf, rollForward } = await import('#replication');
  const { readApplied } = await import('#state-machine');
  const { openLogReader } = await import('#wal');
  const reader = openLogReader(placesIn(dataDir).wal);
  const rolled: (RolledState & { readonly group: GroupId })[] = [];
  let goal: RollTarget = target;
  const roll = async (group: GroupId, store: RocksStateStore): Promise<void> => {
    const { appliedIndex } = readApplied(store);
    const total = Math.max(1, (reader.groups.get(group)?.lastIndex ?? 0) - appliedIndex);
    const state = await rollForward({
      store,
      digest: sha256,
      entries: reader.entries(group, (appliedIndex + 1) as LogIndex),
      target: goal,
      onProgress: (entries) => {
        onProgress(`group ${group}: log`, Math.min(1, entries / total));
        return Promise.resolve();
      },
    });
    rolled.push({ ...state, group });
    if (goal.kind === 'seq') goal = afterSeq(goal.seq, state);
  };
  try {
    const ordered = [...opened].sort(
      ([one], [other]) => Number(other === seqGroup) - Number(one === seqGroup),
    );
    for (const [group, store] of ordered) await roll(group, store);
    const meta = opened.get(META_GROUP);
    for (const group of meta === undefined ? [] : groupsOf(meta)) {
      const log = reader.groups.get(group);
      if (opened.has(group) || log === undefined) continue;
      const store = await stores.open(group);
      opened.set(group, store);
      beginState(store, [], sha256);
      if (log.floorIndex > readApplied(store).appliedIndex) throw notWhole(group, record.snapshotId);
      await roll(group, store);
    }
  } finally {
    reader.close();
  }
  return rolled;
}

function notWhole(group: GroupId, snapshotId: string): CommandFailure {
  return new CommandFailure(
    `group ${group} was begun after the snapshot ${snapshotId}, and the log has only the end of it; restore a later snapshot, or to a moment before`,
  );
}

function afterSeq(seq: CommitSeq, state: RolledState): RollTarget {
  if (state.commitSeq !== seq) {
    throw new CommandFailure(`position ${seq} is after the end of the log, which is at ${state.commitSeq}`);
  }
  return state.entries === 0 ? { kind: 'snapshot' } : { kind: 'time', timeMs: state.timeMs };
}

async function beginLog(dir: string, groups: readonly RestoredGroup[]): Promise<void> {
  const { openLog } = await import('#wal');
  let failure: Error | undefined;
  const log = await openLog({
    dir,
    segmentBytes: LOG_SEGMENT_BYTES,
    lowWaterBytes: 0,
    onFatal: (error) => {
      failure = error;
    },
  });
  const writes = groups.map(({ group, index, term }) => ({
    group,
    reset: { index, term },
    hardState: { term, vote: NO_MEMBER, commit: index },
    entries: [],
  }));
  log.append(writes, () => undefined);
  await log.close();
  if (failure !== undefined) throw failure;
}
