import type { GroupId, HardState, LogEntry, LogIndex, Term } from '#contracts';
import type { LogGroupState, LogSegment, LogStats, LogStore, LogWrite } from '#replication';
import { Activity } from './activity';
import { Cleaner } from './cleaner';
import type { Disk, DiskFile } from './disk';
import { readEntry } from './entry-reader';
import { GroupCommit, type LogObserver } from './group-commit';
import { GroupLog } from './group-log';
import { hardStateFields } from './hard-state';
import { LogTail, type TailPosition } from './log-tail';
import { assertFits, termOf } from './log-fit';
import { RecordKind } from './record';
import type { SegmentTable } from './segment';
import { SegmentSupply } from './segment-supply';
import { SpaceWatch } from './space-watch';
import { forgetTornTails, hasTornTails } from './torn-tail';

export interface LogSettings {
  readonly dir: string;
  readonly disk: Disk;
  readonly segmentBytes: number;
  readonly recentBytes: number;
  readonly lowWaterBytes: number;
  readonly onFatal: (error: Error) => void;
  readonly observer: LogObserver | undefined;
  readonly monotonicMs: () => number;
}

/** What recovery hands over. */
export interface RecoveredLog {
  readonly segments: SegmentTable;
  readonly groups: Map<GroupId, GroupLog>;
  readonly position: TailPosition;
  /** A segment that an earlier run had prepared. */
  readonly prepared: DiskFile | undefined;
  /** A group was forgotten whose records may still be there. */
  readonly forgot: boolean;
}

/** The disk is asked for its free space once in so many appended bytes: a few times a second at full load. */
const SPACE_REFRESH_BYTES = 4 * 1024 * 1024;
/** A quarter is given back at once, so that the newest entries are not looked through at every batch. */
const RECENT_KEPT_SHARE = 3 / 4;

/** The log, open: see {@link LogStore} for its promises. Made by `openLog`. */
export class Log implements LogStore {
  private readonly segmentTable: SegmentTable;
  private readonly groupLogs: Map<GroupId, GroupLog>;
  private readonly activity = new Activity();
  private readonly tail: LogTail;
  private readonly supply: SegmentSupply;
  private readonly commit: GroupCommit;
  private readonly cleaner: Cleaner;
  private readonly spaceWatch: SpaceWatch;
  private readonly firstOwnSequence: number;
  private recentBytes = 0;
  /** Groups that were forgotten, and how many of them are purged. */
  private forgets: number;
  private purgedForgets = 0;
  /** Only a start keeps bytes aside. */
  holdsAside: boolean;
  /** Of appends that had nothing to wait for. */
  private readonly unsyncedCallbacks: (() => void)[] = [];
  private failure: Error | undefined;
  private closing: Promise<void> | undefined;
  private onDrainFailed: ((error: Error) => void) | undefined;

  constructor(
    private readonly settings: LogSettings,
    recovered: RecoveredLog,
  ) {
    const { disk, dir: folder, segmentBytes, lowWaterBytes, observer, monotonicMs } = settings;
    const { activity } = this;
    const onFatal = (error: Error): void => this.fail(error);
    const segments = (this.segmentTable = recovered.segments);
    const groups = (this.groupLogs = recovered.groups);
    this.firstOwnSequence = recovered.position.nextSequence;
    this.forgets = recovered.forgot ? 1 : 0;
    this.holdsAside = hasTornTails(disk, folder);
    const tail = (this.tail = new LogTail(segments, segmentBytes, recovered.position));
    this.spaceWatch = new SpaceWatch({
      disk,
      folder,
      lowWaterBytes,
      refreshBytes: Math.min(SPACE_REFRESH_BYTES, segmentBytes / 4),
      activity,
      onRefreshed: (freeBytes) => {
        if (this.supply.lacksRoom && freeBytes >= segmentBytes) this.supply.prepare();
      },
    });
    const onDiskFull = (): void =>
      this.onDrainFailed?.(new Error('the disk is full: the log cannot be synced'));
    const supply = new SegmentSupply({ disk, folder, segmentBytes, activity, onFatal, onDiskFull });
    this.supply = supply;
    const onBatchDurable = (): void => this.batchDurable();
    const commit = new GroupCommit({
      tail,
      supply,
      activity,
      onFatal,
      onBatchDurable,
      observer,
      monotonicMs,
    });
    this.commit = commit;
    const newest = segments.newest();
    if (newest !== undefined) commit.startAt(newest.id, newest.usedBytes);
    const isSpaceLow = (): boolean => this.isSpaceLow();
    const onRemoved = (): void => this.spaceWatch.refresh();
    this.cleaner = new Cleaner({
      disk,
      folder,
      segments,
      groups,
      tail,
      commit,
      activity,
      segmentBytes,
      isSpaceLow,
      onRemoved,
      onFatal,
    });
    if (recovered.prepared === undefined) supply.prepare();
    else supply.adopt(recovered.prepared);
    this.spaceWatch.refresh();
    this.cleaner.step();
  }

  groups(): readonly GroupId[] {
    return [...this.groupLogs.keys()];
  }

  state(group: GroupId): LogGroupState | undefined {
    const log = this.groupLogs.get(group);
    if (log === undefined) return undefined;
    return {
      hardState: log.hardState,
      floorIndex: log.floorIndex as LogIndex,
      floorTerm: log.floorTerm as Term,
      lastIndex: log.lastIndex as LogIndex,
    };
  }

  term(group: GroupId, index: LogIndex): Term | undefined {
    const log = this.groupLogs.get(group);
    if (log === undefined) return index === 0 ? (0 as Term) : undefined;
    return termOf(log, index) as Term | undefined;
  }

  entries(group: GroupId, low: LogIndex, high: LogIndex, maxBytes: number): readonly LogEntry[] {
    const log = this.groupLogs.get(group);
    const floorIndex = log?.floorIndex ?? 0;
    const lastIndex = log?.lastIndex ?? 0;
    if (low <= floorIndex)
      throw new RangeError(`entry ${low} of group ${group} is compacted up to ${floorIndex}`);
    if (low > high || high > lastIndex + 1) {
      throw new RangeError(`entries ${low} to ${high} of group ${group} go past the last, ${lastIndex}`);
    }
    const entries: LogEntry[] = [];
    if (log === undefined) return entries;
    let bytes = 0;
    for (let index: number = low; index < high; index++) {
      const entry = readEntry(this.segmentTable, log, index);
      bytes += entry.data.byteLength;
      if (bytes > maxBytes && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }

  append(writes: readonly LogWrite[], onDurable: () => void): void {
    this.assertOpen();
    if (this.failure !== undefined) return;
    for (const write of writes) this.take(write);
    this.whenDurable(onDurable);
    this.commit.pump();
    if (this.supply.lacksRoom) this.spaceWatch.refresh();
  }

  compact(group: GroupId, index: LogIndex): void {
    this.assertOpen();
    const log = this.groupLogs.get(group);
    if (this.failure !== undefined || log === undefined || index <= log.floorIndex) return;
    const term = termOf(log, index);
    if (term === undefined) throw new RangeError(`group ${group} has no entry ${index} to compact up to`);
    const place = this.tail.put({ kind: RecordKind.floor, group, term, index });
    this.countingRecent(log, () => log.setFloor(index, term, place));
    this.commit.pump();
    if (this.supply.lacksRoom) this.spaceWatch.refresh();
  }

  forget(group: GroupId): void {
    this.assertOpen();
    const log = this.groupLogs.get(group);
    if (this.failure !== undefined || log === undefined) return;
    this.tail.put({ kind: RecordKind.forget, group, term: 0, index: 0 });
    this.countingRecent(log, () => log.release());
    this.groupLogs.delete(group);
    this.forgets += 1;
    this.commit.pump();
  }

  space(): 'ok' | 'low' {
    const low = this.isSpaceLow();
    // Whoever is refused does not append: the question itself has to find out that there is room again.
    if (low && this.closing === undefined && this.failure === undefined) this.spaceWatch.refresh();
    return low ? 'low' : 'ok';
  }

  stats(): LogStats {
    let bytes = 0;
    for (const segment of this.segmentTable.all()) bytes += segment.usedBytes;
    return { activeSegments: this.segmentTable.all().length, bytes };
  }

  segments(): readonly LogSegment[] {
    return this.segmentTable.all().map(({ name, firstSequence, file, usedBytes, liveBytes }) => {
      const bytes = file?.sizeBytes() ?? usedBytes;
      return { name, firstSequence, bytes, usedBytes, neededBytes: liveBytes };
    });
  }

  async reclaim(): Promise<readonly LogSegment[]> {
    this.assertOpen();
    const before = this.segments();
    const newest = before.at(-1);
    // On a full disk a new segment has no room, and waiting for one would hold up the appends.
    if (newest !== undefined && newest.neededBytes * 2 < newest.usedBytes && !this.supply.lacksRoom) {
      this.beginSegment();
    }
    await this.cleaned();
    const left = new Set(this.segments().map(({ name }) => name));
    return before.filter(({ name }) => !left.has(name));
  }

  get holdsForgotten(): boolean {
    return this.forgets > this.purgedForgets;
  }

  async purge(): Promise<boolean> {
    this.assertOpen();
    if (this.isSpaceLow()) return false;
    const { forgets } = this;
    this.beginSegment();
    const begun = this.segmentTable.newest()?.firstSequence ?? 0;
    this.cleaner.emptyBelow(begun);
    await this.cleaned();
    if ((this.segmentTable.oldest()?.firstSequence ?? 0) < begun) return false;
    await forgetTornTails(this.settings.disk, this.settings.dir);
    this.purgedForgets = forgets;
    this.holdsAside = false;
    return true;
  }

  close(): Promise<void> {
    this.closing ??= this.drain().finally(() => this.release());
    return this.closing;
  }

  private beginSegment(): void {
    this.tail.moveOn();
    this.tail.put({ kind: RecordKind.mark, group: 0, term: 0, index: 0 });
    this.commit.pump();
  }

  /** Resolves once there is nothing more to remove or to empty. */
  private cleaned(): Promise<void> {
    return new Promise<void>((resolve) => {
      const clean = (): void => this.cleaner.whenIdle(resolve);
      if (!this.tail.whenDurable(clean)) clean();
    });
  }

  private isSpaceLow(): boolean {
    return this.spaceWatch.isLow || this.supply.lacksRoom;
  }

  /** Also an append of nothing is called back, later and in its turn. */
  private whenDurable(callback: () => void): void {
    if (this.unsyncedCallbacks.length > 0) this.tail.whenDurable(() => this.runUnsynced());
    if (this.tail.whenDurable(callback)) return;
    this.unsyncedCallbacks.push(callback);
    queueMicrotask(() => this.runUnsynced());
  }

  private runUnsynced(): void {
    if (this.failure !== undefined) return;
    for (const callback of this.unsyncedCallbacks.splice(0)) callback();
  }

  private take(write: LogWrite): void {
    const { group, reset, hardState, entries } = write;
    const known = this.groupLogs.get(group);
    const log = known ?? new GroupLog(group, this.segmentTable);
    assertFits(log, write);
    if (reset === undefined && hardState === undefined && entries.length === 0) return;
    if (known === undefined) this.groupLogs.set(group, log);
    const { tail } = this;
    this.countingRecent(log, () => {
      if (reset !== undefined) {
        const { index, term } = reset;
        log.reset(index, term, tail.put({ kind: RecordKind.reset, group, term, index }));
      }
      const firstIndex = entries[0]?.index ?? Infinity;
      if (hardState !== undefined) {
        // A crash may keep this record and not the entries behind it. What the group had there instead is not
        // what was committed, so up to then the commit index stays below them.
        const commit = Math.min(hardState.commit, firstIndex - 1) as LogIndex;
        this.putHardState(log, { ...hardState, commit });
      }
      for (const entry of entries) {
        const { term, index, kind: entryKind, data: payload } = entry;
        const place = tail.put({ kind: RecordKind.entry, group, term, index, entryKind, payload });
        log.putEntry(index, term, place);
        log.recent.push(entry);
        this.spaceWatch.appended(place.bytes);
      }
      if (hardState !== undefined && hardState.commit >= firstIndex) this.putHardState(log, hardState);
    });
  }

  private putHardState(log: GroupLog, hardState: HardState): void {
    log.setHardState(hardState, this.tail.put(hardStateFields(log.id, hardState)));
  }

  private countingRecent(log: GroupLog, change: () => void): void {
    const before = log.recent.bytes;
    change();
    this.recentBytes += log.recent.bytes - before;
  }

  private batchDurable(): void {
    if (this.recentBytes > this.settings.recentBytes) this.dropRecent();
    this.cleaner.step();
  }

  /** Entries leave memory oldest first, the fullest group's before others', never before they can be read back. */
  private dropRecent(): void {
    const target = this.settings.recentBytes * RECENT_KEPT_SHARE;
    const fullestFirst = [...this.groupLogs.values()].sort((a, b) => b.recent.bytes - a.recent.bytes);
    for (const log of fullestFirst) {
      this.countingRecent(log, () => {
        const excess = this.recentBytes - target;
        const keepBytes = log.recent.bytes - excess;
        for (let entry = log.recent.oldest(); entry !== undefined; entry = log.recent.oldest()) {
          const { index } = entry;
          if (log.recent.bytes <= keepBytes) return;
          if (!this.commit.isDurable(log.index.segmentId(index), log.index.offset(index))) return;
          log.recent.dropOldest();
        }
      });
      if (this.recentBytes <= target) return;
    }
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.commit.stop();
    this.cleaner.stop();
    this.onDrainFailed?.(error);
    this.settings.onFatal(error);
  }

  private drain(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.onDrainFailed = reject;
      // The mark is to be the last record.
      this.cleaner.stop();
      if (this.tail.nextSequence > this.firstOwnSequence) {
        this.tail.put({ kind: RecordKind.mark, group: 0, term: 0, index: 0 });
      }
      const synced = (): void => {
        this.supply.stop();
        this.activity.whenIdle(resolve);
      };
      if (!this.tail.whenDurable(synced)) synced();
      this.commit.pump();
      if (this.supply.isStalled) reject(new Error('the disk is full: the log cannot be synced'));
    });
  }

  private release(): void {
    this.commit.stop();
    this.cleaner.stop();
    this.supply.stop();
    for (const segment of this.segmentTable.all()) segment.file?.close();
  }

  private assertOpen(): void {
    if (this.closing !== undefined) throw new Error('the log is closed');
  }
}
