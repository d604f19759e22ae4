import type { MemberId } from '#contracts';
import { readU64, viewOf, writeU64 } from './bytes';
import type { ConfChange, ConfChangeKind } from './types';

/** First byte of a conf change entry's data; see FORMAT.md. */
export const CONF_CHANGE_FORMAT_VERSION = 1;

const HEADER_BYTES = 4;
const CHANGE_BYTES = 9;
const TRANSITIONS: readonly ConfChange['transition'][] = ['auto', 'jointImplicit', 'jointExplicit'];
/** The position is the number in the format; 0 is never written. */
const KINDS: readonly (ConfChangeKind | undefined)[] = [undefined, 'addVoter', 'addLearner', 'remove'];

/** The data of a conf change entry. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const count = change.changes.length;
  if (count > 0xffff) throw new RangeError(`too many changes at once: ${count}`);
  const bytes = new Uint8Array(HEADER_BYTES + count * CHANGE_BYTES + change.context.byteLength);
  const view = viewOf(bytes);
  view.setUint8(0, CONF_CHANGE_FORMAT_VERSION);
  view.setUint8(1, TRANSITIONS.indexOf(change.transition));
  view.setUint16(2, count, true);
  let offset = HEADER_BYTES;
  for (const { kind, member } of change.changes) {
    view.setUint8(offset, KINDS.indexOf(kind));
    writeU64(view, offset + 1, member);
    offset += CHANGE_BYTES;
  }
  bytes.set(change.context, offset);
  return bytes;
}

/** `undefined` for bytes that are not a conf change of a known version. The context shares the bytes given. */
export function decodeConfChange(bytes: Uint8Array): ConfChange | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  const transition = TRANSITIONS[view.getUint8(1)];
  const count = view.getUint16(2, true);
  const end = HEADER_BYTES + count * CHANGE_BYTES;
  if (view.getUint8(0) !== CONF_CHANGE_FORMAT_VERSION || transition === undefined || bytes.byteLength < end)
    return undefined;
  const changes: { kind: ConfChangeKind; member: MemberId }[] = [];
  for (let offset = HEADER_BYTES; offset < end; offset += CHANGE_BYTES) {
    const kind = KINDS[view.getUint8(offset)];
    const member = readU64(view, offset + 1);
    if (kind === undefined || member === undefined || member === 0) return undefined;
    changes.push({ kind, member: member as MemberId });
  }
  return { changes, transition, context: bytes.subarray(end) };
}
