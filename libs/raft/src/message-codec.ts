import { EntryKind, type LogEntry, type LogIndex, type MemberId, type Term } from '#contracts';
import { readU64, viewOf, writeU64 } from './bytes';
import { confStateBytes, readConfState, writeConfState } from './conf-state-codec';
import { ENTRY_HEADER_BYTES } from './entry-bytes';
import { type Message, MessageType, type SnapshotMetadata } from './types';

/** First byte of every message; see FORMAT.md. */
export const MESSAGE_FORMAT_VERSION = 1;

const HEADER_BYTES = 72;
const SNAPSHOT_HEADER_BYTES = 16;
const FLAG_REJECT = 1;
const FLAG_TRANSFER = 2;
const FLAG_SNAPSHOT = 4;
const KNOWN_FLAGS = FLAG_REJECT | FLAG_TRANSFER | FLAG_SNAPSHOT;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(MessageType));
const KNOWN_KINDS: ReadonlySet<number> = new Set(Object.values(EntryKind));

/** Exact size of a message on the wire. */
export function messageBytes(message: Message): number {
  let bytes = HEADER_BYTES;
  for (const entry of message.entries) bytes += ENTRY_HEADER_BYTES + entry.data.byteLength;
  if (message.snapshot !== undefined)
    bytes += SNAPSHOT_HEADER_BYTES + confStateBytes(message.snapshot.confState);
  return bytes;
}

/**
 * Writes a message into `target` from `offset` on, which must have room for {@link messageBytes}. Answers the
 * offset after it. Meant for a transport that lays several messages into one frame: this is the only copy.
 */
export function encodeMessageInto(message: Message, target: Uint8Array, offset: number): number {
  const view = viewOf(target);
  const { snapshot, entries } = message;
  view.setUint8(offset, MESSAGE_FORMAT_VERSION);
  view.setUint8(offset + 1, message.type);
  view.setUint8(offset + 2, flagsOf(message));
  view.setUint8(offset + 3, 0);
  writeU64(view, offset + 4, message.from);
  writeU64(view, offset + 12, message.to);
  writeU64(view, offset + 20, message.term);
  writeU64(view, offset + 28, message.index);
  writeU64(view, offset + 36, message.logTerm);
  writeU64(view, offset + 44, message.commit);
  writeU64(view, offset + 52, message.rejectHint);
  writeU64(view, offset + 60, message.context);
  view.setUint32(offset + 68, entries.length, true);
  let at = offset + HEADER_BYTES;
  let index = message.index;
  for (const entry of entries) {
    index = (index + 1) as LogIndex;
    if (entry.index !== index) throw new Error(`entry ${entry.index} where ${index} was to follow`);
    writeU64(view, at, entry.term);
    view.setUint8(at + 8, entry.kind);
    view.setUint32(at + 9, entry.data.byteLength, true);
    target.set(entry.data, at + ENTRY_HEADER_BYTES);
    at += ENTRY_HEADER_BYTES + entry.data.byteLength;
  }
  if (snapshot !== undefined) {
    writeU64(view, at, snapshot.index);
    writeU64(view, at + 8, snapshot.term);
    at = writeConfState(view, at + SNAPSHOT_HEADER_BYTES, snapshot.confState);
  }
  return at;
}

function flagsOf(message: Message): number {
  return (
    (message.reject ? FLAG_REJECT : 0) |
    (message.transfer ? FLAG_TRANSFER : 0) |
    (message.snapshot === undefined ? 0 : FLAG_SNAPSHOT)
  );
}

/** A message as bytes of its own. */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = new Uint8Array(messageBytes(message));
  encodeMessageInto(message, bytes, 0);
  return bytes;
}

/**
 * Reads one whole message; `undefined` for bytes that are not exactly one of a known version. Entry data is not
 * copied: it shares `bytes`, which must not be written to or reused from then on.
 */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  const type = view.getUint8(1);
  const flags = view.getUint8(2);
  if (view.getUint8(0) !== MESSAGE_FORMAT_VERSION || !KNOWN_TYPES.has(type)) return undefined;
  if ((flags & ~KNOWN_FLAGS) !== 0 || view.getUint8(3) !== 0) return undefined;
  const from = readU64(view, 4);
  const to = readU64(view, 12);
  const term = readU64(view, 20);
  const index = readU64(view, 28);
  const logTerm = readU64(view, 36);
  const commit = readU64(view, 44);
  const rejectHint = readU64(view, 52);
  const context = readU64(view, 60);
  if (from === undefined || to === undefined || term === undefined || index === undefined) return undefined;
  if (logTerm === undefined || commit === undefined || rejectHint === undefined || context === undefined)
    return undefined;
  const entries = readEntries(bytes, view, index);
  if (entries === undefined) return undefined;
  let end = entries.end;
  let snapshot: SnapshotMetadata | undefined;
  if ((flags & FLAG_SNAPSHOT) !== 0) {
    const read = readSnapshot(view, end);
    if (read === undefined) return undefined;
    snapshot = read.snapshot;
    end = read.end;
  }
  if (end !== bytes.byteLength) return undefined;
  return {
    type: type as MessageType,
    from: from as MemberId,
    to: to as MemberId,
    term: term as Term,
    index: index as LogIndex,
    logTerm: logTerm as Term,
    commit: commit as LogIndex,
    entries: entries.list,
    reject: (flags & FLAG_REJECT) !== 0,
    rejectHint: rejectHint as LogIndex,
    snapshot,
    context,
    transfer: (flags & FLAG_TRANSFER) !== 0,
  };
}

const NO_ENTRIES: readonly LogEntry[] = [];

function readEntries(
  bytes: Uint8Array,
  view: DataView,
  previousIndex: number,
): { readonly list: readonly LogEntry[]; readonly end: number } | undefined {
  const count = view.getUint32(68, true);
  if (count === 0) return { list: NO_ENTRIES, end: HEADER_BYTES };
  // A count that cannot fit is refused before anything is allocated for it.
  if (count > (bytes.byteLength - HEADER_BYTES) / ENTRY_HEADER_BYTES) return undefined;
  if (previousIndex + count > Number.MAX_SAFE_INTEGER) return undefined;
  const list: LogEntry[] = [];
  let at = HEADER_BYTES;
  for (let position = 1; position <= count; position += 1) {
    if (bytes.byteLength < at + ENTRY_HEADER_BYTES) return undefined;
    const term = readU64(view, at);
    const kind = view.getUint8(at + 8);
    const start = at + ENTRY_HEADER_BYTES;
    at = start + view.getUint32(at + 9, true);
    if (term === undefined || !KNOWN_KINDS.has(kind) || bytes.byteLength < at) return undefined;
    list.push({
      term: term as Term,
      index: (previousIndex + position) as LogIndex,
      kind: kind as EntryKind,
      data: bytes.subarray(start, at),
    });
  }
  return { list, end: at };
}

function readSnapshot(
  view: DataView,
  offset: number,
): { readonly snapshot: SnapshotMetadata; readonly end: number } | undefined {
  if (view.byteLength < offset + SNAPSHOT_HEADER_BYTES) return undefined;
  const index = readU64(view, offset);
  const term = readU64(view, offset + 8);
  const conf = readConfState(view, offset + SNAPSHOT_HEADER_BYTES);
  if (index === undefined || term === undefined || conf === undefined) return undefined;
  return {
    snapshot: { index: index as LogIndex, term: term as Term, confState: conf.state },
    end: conf.end,
  };
}
