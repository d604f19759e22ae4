import type { GroupId, LogEntry, LogIndex } from '#contracts';
import type { LogGroupState } from '#replication';
import type { Disk } from './disk';
import { readAhead, readEntry } from './entry-reader';
import { LogScan } from './log-scan';
import { nodeDisk } from './node-disk';
import { Replay } from './replay';

/** The log of a stopped node, for reading alone. */
export interface LogReader {
  readonly groups: ReadonlyMap<GroupId, LogGroupState>;
  /** Entries from `low` (inclusive) on, in order, each checked as it is read. Throws when `low` is compacted. */
  entries(group: GroupId, low: LogIndex): Iterable<LogEntry>;
  close(): void;
}

/**
 * Reads and checks the whole log in `dir` and changes nothing; a torn tail is passed over, as the next start would
 * cut it. Throws `LogCorruption`, `LogFormatUnsupported` or the disk's own error.
 */
export function openLogReader(dir: string, disk: Disk = nodeDisk): LogReader {
  const replay = new Replay();
  const scan = new LogScan(disk, dir, 'read', (segment, offset, header, payload) =>
    replay.visit(segment, offset, header, payload),
  );
  try {
    scan.run();
    replay.finish();
  } catch (error) {
    scan.close();
    throw error;
  }
  const states = [...replay.groups].map(([id, log]): [GroupId, LogGroupState] => [
    id,
    {
      hardState: log.hardState,
      floorIndex: log.floorIndex as LogIndex,
      floorTerm: log.floorTerm as LogGroupState['floorTerm'],
      lastIndex: log.lastIndex as LogIndex,
    },
  ]);
  function* entries(group: GroupId, low: LogIndex): Generator<LogEntry, void> {
    const log = replay.groups.get(group);
    if (log === undefined) return;
    if (low <= log.floorIndex) throw new RangeError(`entry ${low} of group ${group} is compacted`);
    const readBytes = readAhead();
    for (let index: number = low; index <= log.lastIndex; index++) {
      yield readEntry(replay.segments, log, index, readBytes);
    }
  }
  return { groups: new Map(states), entries, close: () => scan.close() };
}
