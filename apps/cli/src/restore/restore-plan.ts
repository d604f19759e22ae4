import { statfs } from 'node:fs/promises';
import { commandTime } from '#codec';
import { EntryKind, META_GROUP, type CommitSeq, type GroupId } from '#contracts';
import type { LogGroupState, NodeIdentity, RollTarget, SnapshotPart, SnapshotRecord } from '#replication';
import type { LogReader } from '#wal';
import { checkParts } from '../data/check-parts';
import { isThere, placesIn, snapshotIn } from '../data/data-folder';
import { CommandFailure } from '../terminal';

export interface RestoreRequest {
  readonly dataDir: string;
  readonly snapshotId: string;
  readonly target: RollTarget;
  /** Of the restored node, where it differs from the one that is there. */
  readonly nodeId: string | undefined;
  /** Goes on although nothing is known of the log, where the snapshot is all that is wanted. */
  readonly ignoreDamagedLog: boolean;
}

/** What a restore will do. All that it needs was read and checked. */
export interface RestorePlan extends RestoreRequest {
  readonly record: SnapshotRecord;
  /** The node that is there now; `undefined` in a folder that holds snapshots alone. */
  readonly identity: NodeIdentity | undefined;
  /** Whether the log that is there goes on where the snapshot stands. */
  readonly isOfThisLog: boolean;
  /** How far the log there goes, for each group; empty without one. */
  readonly log: ReadonlyMap<GroupId, LogGroupState>;
  readonly damagedLog: string | undefined;
  /** The group whose positions the target means. */
  readonly seqGroup: GroupId | undefined;
  readonly rows: number;
}

/** Room for the log of the restored node: a segment and the one ahead of it. */
const LOG_BYTES = 2 * 64 * 1024 * 1024;
/** A state may take more than its rows while RocksDB puts them in order. */
const STATE_SHARE = 1.5;

/** Reads and checks everything, changes nothing. Rejects with the one line that says what stands in the way. */
export async function planRestore(
  request: RestoreRequest,
  onBytes: (bytes: number) => void,
): Promise<RestorePlan> {
  const { dataDir, snapshotId, target } = request;
  const record = await snapshotIn(dataDir, snapshotId);
  const { rows, rawBytes } = await checkParts(dataDir, record, onBytes);
  const identity = await identityIn(dataDir);
  const { reader, damage } = await readLog(request);
  try {
    const log = reader?.groups ?? new Map<GroupId, LogGroupState>();
    const seqGroup = record.parts.find(({ group }) => group !== META_GROUP)?.group;
    const isOfThisLog =
      identity?.clusterId === record.clusterId &&
      reader !== undefined &&
      record.parts.every((part) => goesOnFrom(part, log.get(part.group)));
    if (target.kind !== 'snapshot') {
      if (reader === undefined || identity === undefined) {
        throw new CommandFailure(`there is no log in ${dataDir} to roll the snapshot forward through`);
      }
      expectReach({ record, identity, reader, target, seqGroup });
    }
    await expectRoom(dataDir, rawBytes);
    return { ...request, record, identity, isOfThisLog, log, damagedLog: damage, seqGroup, rows };
  } finally {
    reader?.close();
  }
}

async function identityIn(dataDir: string): Promise<NodeIdentity | undefined> {
  const { IdentityFile } = await import('#storage');
  const { StateCorruption } = await import('#replication');
  try {
    return await new IdentityFile(dataDir).load();
  } catch (error) {
    if (!(error instanceof StateCorruption)) throw error;
    throw new CommandFailure(`${error.message}; move that file elsewhere to restore as into a new folder`);
  }
}

async function readLog({ dataDir, target, ignoreDamagedLog }: RestoreRequest): Promise<{
  readonly reader: LogReader | undefined;
  readonly damage: string | undefined;
}> {
  const { LogCorruption, openLogReader } = await import('#wal');
  const { wal } = placesIn(dataDir);
  if (!(await isThere(wal))) return { reader: undefined, damage: undefined };
  try {
    return { reader: openLogReader(wal), damage: undefined };
  } catch (error) {
    if (!(error instanceof LogCorruption)) throw error;
    if (ignoreDamagedLog && target.kind === 'snapshot') return { reader: undefined, damage: error.message };
    const advice =
      target.kind === 'snapshot'
        ? '; --ignore-damaged-log restores exactly the snapshot all the same'
        : '; without it only the snapshot itself can be restored';
    throw new CommandFailure(`the log in ${wal} is damaged: ${error.message}${advice}`);
  }
}

function goesOnFrom(part: SnapshotPart, log: LogGroupState | undefined): boolean {
  if (log === undefined || log.floorIndex > part.index || log.lastIndex < part.index) return false;
  return log.floorIndex < part.index || log.floorTerm === part.term;
}

/** Fails unless the log leads from the snapshot to the target, as far as that shows without applying it. */
function expectReach(reach: {
  readonly record: SnapshotRecord;
  readonly identity: NodeIdentity;
  readonly reader: LogReader;
  readonly target: RollTarget;
  readonly seqGroup: GroupId | undefined;
}): void {
  const { record, identity, reader, target, seqGroup } = reach;
  if (identity.clusterId !== record.clusterId) {
    throw new CommandFailure(
      `the snapshot ${record.snapshotId} is of another cluster than the log here: it cannot be rolled forward through it`,
    );
  }
  let endMs = 0;
  for (const part of record.parts) {
    const log = reader.groups.get(part.group);
    if (!goesOnFrom(part, log)) {
      const held = log === undefined ? 'nothing of it' : `entries ${log.floorIndex + 1} to ${log.lastIndex}`;
      throw new CommandFailure(
        `the log does not go on from the snapshot: group ${part.group} stands at entry ${part.index}, and the log has ${held}`,
      );
    }
    if (target.kind === 'time') endMs = Math.max(endMs, endOfLog(reader, part));
  }
  if (target.kind === 'time') expectTime(target.timeMs, record.createdMs, endMs);
  const part = record.parts.find(({ group }) => group === seqGroup);
  if (target.kind === 'seq') expectSeq(target.seq, part, part && reader.groups.get(part.group));
}

function endOfLog(reader: LogReader, part: SnapshotPart): number {
  let endMs = 0;
  for (const { kind, data } of reader.entries(part.group, (part.index + 1) as typeof part.index)) {
    if (kind === EntryKind.normal && data.length > 0) endMs = Math.max(endMs, commandTime(data));
  }
  return endMs;
}

function expectTime(timeMs: number, snapshotMs: number, endMs: number): void {
  const text = (ms: number): string => new Date(ms).toISOString();
  if (timeMs < snapshotMs) {
    throw new CommandFailure(`${text(timeMs)} is before the snapshot, which is of ${text(snapshotMs)}`);
  }
  if (timeMs > endMs) {
    const end = endMs === 0 ? 'which has nothing after the snapshot' : `which is at ${text(endMs)}`;
    throw new CommandFailure(
      `${text(timeMs)} is after the end of the log, ${end}; --to latest goes to there`,
    );
  }
}

function expectSeq(seq: CommitSeq, part: SnapshotPart | undefined, log: LogGroupState | undefined): void {
  if (part === undefined || log === undefined) throw new CommandFailure('the snapshot holds no positions');
  if (seq < part.commitSeq) {
    throw new CommandFailure(`position ${seq} is before the snapshot, which is at ${part.commitSeq}`);
  }
  // Each entry gives out one position at most.
  const most = part.commitSeq + log.lastIndex - part.index;
  if (seq > most)
    throw new CommandFailure(`position ${seq} is after the end of the log, at ${most} or before`);
}

async function expectRoom(dataDir: string, rawBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  const needed = Math.ceil(rawBytes * STATE_SHARE) + LOG_BYTES;
  if (bavail * bsize >= needed) return;
  throw new CommandFailure(
    `there is no room in ${dataDir}: the restore takes about ${megabytes(needed)} MB beside what is there, and ${megabytes(bavail * bsize)} MB are free`,
  );
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1_000_000);
