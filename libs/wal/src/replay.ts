import type { GroupId, LogIndex } from '#contracts';
import { LogCorruption } from './errors';
import { GroupLog, type Place } from './group-log';
import { HARD_STATE_PAYLOAD_BYTES, hardStateOf } from './hard-state';
import type { ScannedSegment } from './log-scan';
import { recordBytes, RecordKind, type RecordHeader } from './record';
import { SegmentTable, type Segment } from './segment';

/** Rebuilds, record by record, what the log held in memory when it was written. */
export class Replay {
  readonly segments = new SegmentTable();
  readonly groups = new Map<GroupId, GroupLog>();
  /** Records of a group that was forgotten since may be there. */
  forgot = false;

  visit(
    scanned: ScannedSegment,
    offset: number,
    header: Readonly<RecordHeader>,
    payload: () => Uint8Array,
  ): void {
    const segment = this.segmentOf(scanned);
    const bytes = recordBytes(header.payloadBytes);
    segment.usedBytes = offset + bytes;
    try {
      this.apply(header, { segmentId: segment.id, offset, bytes }, payload);
    } catch (cause) {
      throw new LogCorruption(scanned.name, offset, 'the record contradicts those before it', { cause });
    }
  }

  /** The segment's counterpart in the table; also for one without records. */
  segmentOf(scanned: ScannedSegment): Segment {
    const newest = this.segments.newest();
    if (newest?.firstSequence === scanned.firstSequence) return newest;
    return this.segments.add(scanned.firstSequence, scanned.file);
  }

  /**
   * To be called after the last record. What a group's records leave must be whole. A floor was committed, but a
   * crash between a reset and its hard state leaves the commit index behind it.
   */
  finish(): void {
    for (const group of this.groups.values()) {
      const hole = group.firstHole();
      if (hole !== undefined) {
        const name = this.segments.oldest()?.name ?? '';
        throw new LogCorruption(name, 0, `entry ${hole} of group ${group.id} is missing`);
      }
      const { commit } = group.hardState;
      if (commit > group.lastIndex) {
        const reason = `group ${group.id} had committed ${commit} and ends at ${group.lastIndex}`;
        throw new LogCorruption(this.segments.newest()?.name ?? '', 0, reason);
      }
      if (commit < group.floorIndex) {
        group.hardState = { ...group.hardState, commit: group.floorIndex as LogIndex };
      }
    }
  }

  private apply(header: Readonly<RecordHeader>, place: Place, payload: () => Uint8Array): void {
    const { kind, term, index } = header;
    switch (kind) {
      case RecordKind.entry:
        return this.group(header.group).putEntry(index, term, place);
      case RecordKind.copy:
        return this.group(header.group).putCopy(index, term, place);
      case RecordKind.hardState:
        if (header.payloadBytes !== HARD_STATE_PAYLOAD_BYTES)
          throw new Error('a hard state of another length');
        return this.group(header.group).setHardState(hardStateOf(header, payload()), place);
      case RecordKind.reset:
        return this.group(header.group).reset(index, term, place);
      case RecordKind.floor:
        return this.group(header.group).setFloor(index, term, place);
      case RecordKind.forget:
        this.forgot = true;
        this.groups.get(header.group as GroupId)?.release();
        this.groups.delete(header.group as GroupId);
        return;
      case RecordKind.segmentHead:
      case RecordKind.trim:
      case RecordKind.mark:
        return;
    }
  }

  private group(id: number): GroupLog {
    const known = this.groups.get(id as GroupId);
    if (known !== undefined) return known;
    const group = new GroupLog(id as GroupId, this.segments);
    this.groups.set(group.id, group);
    return group;
  }
}
