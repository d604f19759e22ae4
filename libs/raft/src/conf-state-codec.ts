import type { MemberId } from '#contracts';
import { readU64, viewOf, writeU64 } from './bytes';
import type { ConfState } from './types';

const COUNT_BYTES = 2;
const MEMBER_BYTES = 8;
const LISTS = ['voters', 'votersOutgoing', 'learners', 'learnersNext'] as const;

/** Size of {@link writeConfState}'s output. */
export function confStateBytes(state: ConfState): number {
  let bytes = 1;
  for (const list of LISTS) bytes += COUNT_BYTES + state[list].length * MEMBER_BYTES;
  return bytes;
}

/** Writes the configuration at `offset`; answers the offset after it. See FORMAT.md, "Configuration". */
export function writeConfState(view: DataView, offset: number, state: ConfState): number {
  let at = offset;
  view.setUint8(at, state.autoLeave ? 1 : 0);
  at += 1;
  for (const list of LISTS) {
    const members = state[list];
    if (members.length > 0xffff) throw new RangeError(`too many members: ${members.length}`);
    view.setUint16(at, members.length, true);
    at += COUNT_BYTES;
    for (const member of members) {
      writeU64(view, at, member);
      at += MEMBER_BYTES;
    }
  }
  return at;
}

/** Reads a configuration at `offset`; `undefined` when the bytes are none. `end` is the offset after it. */
export function readConfState(
  view: DataView,
  offset: number,
): { readonly state: ConfState; readonly end: number } | undefined {
  if (view.byteLength < offset + 1) return undefined;
  const autoLeave = view.getUint8(offset);
  if (autoLeave > 1) return undefined;
  let at = offset + 1;
  const lists: MemberId[][] = [];
  for (let list = 0; list < LISTS.length; list += 1) {
    if (view.byteLength < at + COUNT_BYTES) return undefined;
    const count = view.getUint16(at, true);
    at += COUNT_BYTES;
    if (view.byteLength < at + count * MEMBER_BYTES) return undefined;
    const members: MemberId[] = [];
    for (let i = 0; i < count; i += 1) {
      const member = readU64(view, at);
      if (member === undefined || member === 0) return undefined;
      members.push(member as MemberId);
      at += MEMBER_BYTES;
    }
    lists.push(members);
  }
  const [voters = [], votersOutgoing = [], learners = [], learnersNext = []] = lists;
  return { state: { voters, votersOutgoing, learners, learnersNext, autoLeave: autoLeave === 1 }, end: at };
}

/** First byte of a configuration that stands alone, for instance beside a state machine's snapshot. */
export const CONF_STATE_FORMAT_VERSION = 1;

/** A configuration as bytes of its own, for the host to keep with its state. */
export function encodeConfState(state: ConfState): Uint8Array {
  const bytes = new Uint8Array(1 + confStateBytes(state));
  const view = viewOf(bytes);
  view.setUint8(0, CONF_STATE_FORMAT_VERSION);
  writeConfState(view, 1, state);
  return bytes;
}

/** `undefined` for bytes that are not a whole configuration of a known version. */
export function decodeConfState(bytes: Uint8Array): ConfState | undefined {
  if (bytes[0] !== CONF_STATE_FORMAT_VERSION) return undefined;
  const read = readConfState(viewOf(bytes), 1);
  return read?.end === bytes.byteLength ? read.state : undefined;
}
