import { StateError, type GroupId, type LogIndex, type SnapshotCommand } from '#contracts';
import { StatePieces, type Digest } from '#state-machine';
import type { NodeIdentity } from '../identity';
import type { Clock } from '../ports';
import type { Replica } from '../replica';
import type { SnapshotArchive, SnapshotPart, SnapshotRecord } from './archive';
import type { HoldPoints } from './log-hold';
import { PartQueue } from './part-queue';

/** Where named snapshots report what comes of them. */
export interface SnapshotObserver {
  /** One was taken on this node, or could not be; seconds from its first part on. */
  taken(result: 'ok' | 'failed', seconds: number): void;
  /** A replica on another node has another state under the same name: one of the two is wrong. */
  mismatch(what: string): void;
  /** Whether snapshots hold more of the log than its bound allows, or the disk has room for; told when that changes. */
  logHeld(isHeld: boolean): void;
  warning(what: string, error: Error): void;
}

export interface NamedSnapshotsOptions {
  readonly identity: NodeIdentity;
  readonly region: string;
  readonly archive: SnapshotArchive;
  readonly clock: Clock;
  readonly digest: Digest;
  /** Whether this node has a replica of the group. */
  readonly holds: (group: GroupId) => boolean;
  readonly observer: SnapshotObserver;
  readonly onPublished: (record: SnapshotRecord) => void;
}

/** A snapshot some of whose parts are still to come. */
interface Gathering {
  readonly command: SnapshotCommand;
  readonly sinceMs: number;
  readonly expected: ReadonlySet<GroupId>;
  /** Where each group's part stands that is written or waits to be. */
  readonly taken: Map<GroupId, LogIndex>;
  readonly parts: SnapshotPart[];
  readonly cancelDeadline: () => void;
}

interface Waiting {
  readonly resolve: (record: SnapshotRecord) => void;
  readonly reject: (error: Error) => void;
  readonly cancelDeadline: () => void;
}

/** A snapshot that has not come together after this long never will: a group has moved away, or has no leader. */
const GATHERING_MS = 600_000;
/** States held open at a time: each keeps old data on the disk from going. */
const MOST_GATHERED = 4;

/**
 * The named snapshots of one node. A replica whose state stands at the entry that names it hands it over; it is read
 * from a scan opened at that moment while the replica goes on. Once there is a part of every group that the node
 * holds, the snapshot is published, whole.
 */
export class NamedSnapshots {
  private readonly queue: PartQueue;
  private readonly gathered = new Map<string, Gathering>();
  private readonly waiting = new Map<string, Waiting[]>();

  constructor(private readonly options: NamedSnapshotsOptions) {
    this.queue = new PartQueue(options.archive, options.clock);
  }

  records(): readonly SnapshotRecord[] {
    return this.options.archive.records();
  }

  record(snapshotId: string): SnapshotRecord | undefined {
    return this.records().find((record) => record.snapshotId === snapshotId);
  }

  /** Where the group's log can be rolled forward from: entries that name its state. */
  pointsOf(group: GroupId): HoldPoints {
    const published = this.records()
      .filter(({ clusterId }) => clusterId === this.options.identity.clusterId)
      .flatMap(({ parts }) => parts.filter((part) => part.group === group).map(({ index }) => index));
    const coming = [...this.gathered.values()].map(({ taken }) => taken.get(group));
    return { published, coming: coming.filter((index) => index !== undefined) };
  }

  /** Called while the replica's state stands at the entry that names it. */
  take(replica: Replica, command: SnapshotCommand): void {
    const { snapshotId } = command;
    if (this.record(snapshotId) !== undefined) return;
    const gathering = this.gathered.get(snapshotId) ?? this.begin(command);
    if (gathering === undefined || gathering.taken.has(replica.group)) return;
    gathering.taken.set(replica.group, replica.applied);
    this.queue.add({
      snapshotId,
      group: replica.group,
      index: replica.applied,
      term: replica.appliedTerm,
      commitSeq: replica.commitSeq,
      pieces: new StatePieces(replica.store, this.options.digest),
      done: (part) => void this.add(gathering, part),
      failed: (error) => this.fail(gathering, error),
    });
  }

  /** Resolves once the snapshot is published here; rejects when it failed, or with `timeout`. */
  published(snapshotId: string, timeoutMs: number): Promise<SnapshotRecord> {
    const record = this.record(snapshotId);
    if (record !== undefined) return Promise.resolve(record);
    return new Promise((resolve, reject) => {
      const cancelDeadline = this.options.clock.after(timeoutMs, () => reject(notInTime(snapshotId)));
      const others = this.waiting.get(snapshotId) ?? [];
      this.waiting.set(snapshotId, [...others, { resolve, reject, cancelDeadline }]);
    });
  }

  /** The group leaves this node: nothing of it may stay, in no snapshot. Resolves when its bytes are gone. */
  async forget(group: GroupId): Promise<void> {
    this.queue.cancel((part) => part.group === group);
    for (const gathering of [...this.gathered.values()]) {
      if (gathering.expected.has(group)) this.fail(gathering, new Error(`group ${group} left this node`));
    }
    await this.options.archive.retain((_, part) => part.group !== group);
  }

  /** Keeps the newest `count` snapshots and removes the others. */
  async keepNewest(count: number): Promise<void> {
    const kept = new Set(this.records().slice(-count));
    if (kept.size < this.records().length) await this.options.archive.retain((record) => kept.has(record));
  }

  /**
   * Removes snapshots that hold the group as it was before an entry, where there is one from after it. Resolves with
   * whether none is left, also none that is being taken; their bytes are gone then.
   */
  async forgetBefore(group: GroupId, before: LogIndex): Promise<boolean> {
    const { identity, archive } = this.options;
    const isOlder = ({ clusterId, parts }: SnapshotRecord): boolean =>
      parts.some((part) => part.group === group && (clusterId !== identity.clusterId || part.index < before));
    const isComing = [...this.gathered.values()].some(({ taken }) => (taken.get(group) ?? before) < before);
    if (isComing) return false;
    const records = this.records();
    if (!records.some(isOlder)) return true;
    if (!records.some((record) => !isOlder(record) && record.parts.some((part) => part.group === group)))
      return false;
    await archive.retain((record) => !isOlder(record));
    return true;
  }

  async stop(): Promise<void> {
    for (const gathering of [...this.gathered.values()])
      this.fail(gathering, new Error('the node is stopping'));
    await this.queue.stop();
  }

  private begin(command: SnapshotCommand): Gathering | undefined {
    const { clock, holds, observer } = this.options;
    const { snapshotId, groups } = command;
    if (this.gathered.size >= MOST_GATHERED) {
      this.settle(snapshotId, (one) => one.reject(tooMany()));
      observer.taken('failed', 0);
      return undefined;
    }
    const gathering: Gathering = {
      command,
      sinceMs: clock.monotonicMs(),
      expected: new Set(groups.filter(holds)),
      taken: new Map(),
      parts: [],
      cancelDeadline: clock.after(GATHERING_MS, () =>
        this.fail(gathering, new Error('its parts did not come together in time')),
      ),
    };
    this.gathered.set(snapshotId, gathering);
    return gathering;
  }

  private async add(gathering: Gathering, part: SnapshotPart): Promise<void> {
    const { command, parts, expected } = gathering;
    if (this.gathered.get(command.snapshotId) !== gathering) return;
    parts.push(part);
    if (![...expected].every((group) => parts.some((one) => one.group === group))) return;
    const { identity, region, archive, observer, onPublished } = this.options;
    const { clusterId, member, name } = identity;
    const record: SnapshotRecord = {
      snapshotId: command.snapshotId,
      createdMs: command.createdMs,
      clusterId,
      node: { member, name, region },
      parts: [...parts].sort((left, right) => left.group - right.group),
    };
    try {
      await archive.publish(record);
    } catch (error) {
      this.fail(gathering, error as Error);
      return;
    }
    this.end(gathering);
    observer.taken('ok', this.secondsOf(gathering));
    this.settle(command.snapshotId, (one) => one.resolve(record));
    onPublished(record);
  }

  private fail(gathering: Gathering, cause: Error): void {
    const { snapshotId } = gathering.command;
    if (this.gathered.get(snapshotId) !== gathering) return;
    const { archive, observer } = this.options;
    this.end(gathering);
    this.queue.cancel((part) => part.snapshotId === snapshotId);
    archive
      .discard(snapshotId)
      .catch((error: unknown) => observer.warning('what was written of a snapshot stays', error as Error));
    observer.taken('failed', this.secondsOf(gathering));
    observer.warning(`the snapshot ${snapshotId} was not taken`, cause);
    this.settle(snapshotId, (one) => one.reject(refusalOf(cause)));
  }

  private end(gathering: Gathering): void {
    gathering.cancelDeadline();
    this.gathered.delete(gathering.command.snapshotId);
  }

  private secondsOf({ sinceMs }: Gathering): number {
    return (this.options.clock.monotonicMs() - sinceMs) / 1_000;
  }

  private settle(snapshotId: string, how: (one: Waiting) => void): void {
    for (const one of this.waiting.get(snapshotId) ?? []) {
      one.cancelDeadline();
      how(one);
    }
    this.waiting.delete(snapshotId);
  }
}

function refusalOf(cause: Error): StateError {
  if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new StateError('storage_full', 'There is no room on the disk for the snapshot.', {}, { cause });
  }
  return new StateError('not_ready', `The snapshot was not taken: ${cause.message}.`, {}, { cause });
}

function tooMany(): StateError {
  return new StateError('overloaded', 'Too many snapshots are being taken; retry shortly.', {
    retry_after: 5,
  });
}

function notInTime(snapshotId: string): StateError {
  return new StateError('timeout', `The snapshot ${snapshotId} is not ready yet; it may still come to be.`);
}
