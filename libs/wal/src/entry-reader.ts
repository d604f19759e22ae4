import type { EntryKind, LogEntry, LogIndex, Term } from '#contracts';
import { LogCorruption } from './errors';
import type { GroupLog } from './group-log';
import { checksum, emptyHeader, readHeader, RECORD_HEADER_BYTES, RecordKind } from './record';
import type { Segment, SegmentTable } from './segment';

/** Gives up to `length` bytes of a segment's file, fewer only at its end. */
type ReadBytes = (segment: Segment, offset: number, length: number) => Buffer;

const READ_AHEAD_BYTES = 1024 * 1024;

/** Exactly what is asked for. */
const readExactly: ReadBytes = ({ file }, offset, length) => {
  if (file === undefined) throw new Error('an entry that is not written yet left the memory');
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, file.read(bytes, offset));
};

/** For whoever reads entries one after the other: what follows comes with them, in one call to the disk. */
export function readAhead(): ReadBytes {
  let from: Segment | undefined;
  let start = 0;
  let ahead: Buffer = Buffer.alloc(0);
  return (segment, offset, length) => {
    if (segment !== from || offset < start || offset + length > start + ahead.length) {
      from = segment;
      start = offset;
      // A new one each time: entries that were read before are still looked at.
      ahead = readExactly(segment, offset, Math.max(length, READ_AHEAD_BYTES));
    }
    return ahead.subarray(offset - start, offset - start + length);
  };
}

/** One entry, from memory or from the disk, where its checksum is verified. Synchronous either way. */
export function readEntry(
  segments: SegmentTable,
  group: GroupLog,
  index: number,
  readBytes: ReadBytes = readExactly,
): LogEntry {
  const recent = group.recent.get(index);
  if (recent !== undefined) return recent;
  const segment = segments.get(group.index.segmentId(index));
  const offset = group.index.offset(index);
  const length = group.index.bytes(index);
  const bytes = readBytes(segment, offset, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = emptyHeader();
  const sound =
    bytes.byteLength === length &&
    readHeader(view, 0, header) &&
    header.checksum === checksum(bytes.subarray(4)) &&
    (header.kind === RecordKind.entry || header.kind === RecordKind.copy) &&
    header.group === group.id &&
    header.index === index &&
    header.term === group.index.term(index);
  if (!sound) {
    throw new LogCorruption(
      segment.name,
      offset,
      `entry ${index} of group ${group.id} is not what was written`,
    );
  }
  return {
    term: header.term as Term,
    index: header.index as LogIndex,
    kind: header.entryKind as EntryKind,
    data: bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + header.payloadBytes),
  };
}
