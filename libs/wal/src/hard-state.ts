import type { GroupId, HardState, LogIndex, MemberId, Term } from '#contracts';
import type { RecordFields } from './log-tail';
import { readUint53, RecordKind, type RecordHeader, writeUint53 } from './record';

export const HARD_STATE_PAYLOAD_BYTES = 8;

export function hardStateFields(group: GroupId, hardState: HardState): RecordFields {
  const payload = new Uint8Array(HARD_STATE_PAYLOAD_BYTES);
  writeUint53(new DataView(payload.buffer), 0, hardState.vote);
  return { kind: RecordKind.hardState, group, term: hardState.term, index: hardState.commit, payload };
}

export function hardStateOf(header: RecordHeader, payload: Uint8Array): HardState {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    term: header.term as Term,
    vote: readUint53(view, 0) as MemberId,
    commit: header.index as LogIndex,
  };
}
