import type { EntryKind, LogEntry, LogIndex, Term } from '#contracts';
import { LogCorruption } from './errors';
import type { GroupLog } from './group-log';
import { checksum, emptyHeader, readHeader, RECORD_HEADER_BYTES, RecordKind } from './record';
import type { SegmentTable } from './segment';

/** One entry, from memory or from the disk, where its checksum is verified. Synchronous either way. */
export function readEntry(segments: SegmentTable, group: GroupLog, index: number): LogEntry {
  const recent = group.recent.get(index);
  if (recent !== undefined) return recent;
  const segment = segments.get(group.index.segmentId(index));
  const offset = group.index.offset(index);
  if (segment.file === undefined) throw new Error('an entry that is not written yet left the memory');
  const bytes = Buffer.allocUnsafe(group.index.bytes(index));
  const read = segment.file.read(bytes, offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = emptyHeader();
  const sound =
    read === bytes.byteLength &&
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
