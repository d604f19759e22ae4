import { completed, type Disk, type DiskFile } from './disk';
import type { LogObserver } from './group-commit';
import { Log } from './log';
import { LogScan } from './log-scan';
import { nodeDisk } from './node-disk';
import { Replay } from './replay';
import { PREPARED_NAME } from './segment';
import { SegmentReader } from './segment-reader';
import { cutTornTail } from './torn-tail';

export const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const DEFAULT_RECENT_BYTES = 4 * 1024 * 1024;
const SMALLEST_SEGMENT_BYTES = 256;
const LARGEST_SEGMENT_BYTES = 0x8000_0000;

export interface OpenLogOptions {
  /** Folder of the log; made when it is not there. One process at a time: the caller holds a lock. */
  readonly dir: string;
  /** Runs once, when a write or sync failed. The process must end: no later `onDurable` ever runs. */
  readonly onFatal: (error: Error) => void;
  readonly disk?: Disk;
  readonly segmentBytes?: number;
  /** Bound on the entries kept in memory; those that are not synced yet come on top. */
  readonly recentBytes?: number;
  /** Below this many free bytes `space()` says `low`. By default room for four segments. */
  readonly lowWaterBytes?: number;
  readonly observer?: LogObserver;
  /** Milliseconds that never go back, for the observer alone. */
  readonly monotonicMs?: () => number;
}

/**
 * Recovers what is in the folder and opens the log at its end. Whatever it returns with is durable, also what an
 * earlier process had written and not synced. Rejects with `LogCorruption`, `LogFormatUnsupported` (nothing was
 * changed then) or the disk's own error.
 */
export async function openLog(options: OpenLogOptions): Promise<Log> {
  const { dir, disk = nodeDisk, segmentBytes = DEFAULT_SEGMENT_BYTES } = options;
  if (segmentBytes < SMALLEST_SEGMENT_BYTES || segmentBytes > LARGEST_SEGMENT_BYTES) {
    throw new RangeError(`a segment of ${segmentBytes} bytes is too small or too large`);
  }
  await completed((done) => disk.createFolder(dir, done));
  const replay = new Replay();
  const scan = new LogScan(disk, dir, 'synced', (segment, offset, header, payload) =>
    replay.visit(segment, offset, header, payload),
  );
  try {
    scan.run();
    replay.finish();
    const last = scan.segments.at(-1);
    if (last !== undefined) {
      replay.segmentOf(last);
      if (scan.tornTail !== undefined) await cutTornTail(disk, dir, last, scan.tornTail);
      await completed((done) => last.file.sync(done));
    }
    await completed((done) => disk.syncFolder(dir, done));
    const settings = {
      dir,
      disk,
      segmentBytes,
      recentBytes: options.recentBytes ?? DEFAULT_RECENT_BYTES,
      lowWaterBytes: options.lowWaterBytes ?? 4 * segmentBytes,
      onFatal: options.onFatal,
      observer: options.observer,
      monotonicMs: options.monotonicMs ?? (() => performance.now()),
    };
    const prepared = await adoptPrepared(disk, dir, segmentBytes);
    return new Log(settings, {
      segments: replay.segments,
      groups: replay.groups,
      position: scan.position,
      prepared,
      forgot: replay.forgot,
    });
  } catch (error) {
    scan.close();
    throw error;
  }
}

/** A prepared segment of an earlier run is the reserve on a full disk, so it is kept if it is what it should be. */
async function adoptPrepared(disk: Disk, dir: string, segmentBytes: number): Promise<DiskFile | undefined> {
  if (!disk.list(dir).includes(PREPARED_NAME)) return undefined;
  const path = `${dir}/${PREPARED_NAME}`;
  const file = disk.open(path, 'synced');
  if (file.sizeBytes() === segmentBytes && new SegmentReader(file).endOfData(0) === 0) {
    await completed((done) => file.sync(done));
    return file;
  }
  file.close();
  await completed((done) => disk.remove(path, done));
  await completed((done) => disk.syncFolder(dir, done));
  return undefined;
}
