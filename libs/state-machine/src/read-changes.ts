import type { ChangeBatch, ChangeEvent, CommitSeq, ScannedObject } from '#contracts';
import { decodeUtf8 } from '#codec';
import { type ChangeRow, decodeChange } from './change-row';
import { readApplied } from './counters';
import { ChangeKind, Table } from './format';
import { HeadRow, readLabels } from './head-row';
import {
  changeKey,
  commitKey,
  headKey,
  namespacePrefix,
  prefixRange,
  readCommitKey,
  readPosition,
  versionKey,
} from './keys';
import { readNamespace } from './namespaces';
import { type ObjectConditions, ObjectFilter } from './object-filter';
import { decodeCommit } from './change-row';
import type { StateReader } from './state-reader';

/** Bytes that a change counts for beside its object. */
const EVENT_BYTES = 64;

export interface ChangesPage {
  readonly batches: readonly ChangeBatch[];
  /** Everything at or below this position was seen. */
  readonly through: CommitSeq;
}

/**
 * Changes of a namespace from `from` (inclusive) on, in order, in whole batches: at least one if there is any, then
 * about as many as fit `maxBytes`. Asking from before {@link firstAvailable} gives what is left.
 */
export function readChanges(reader: StateReader, ns: string, from: CommitSeq, maxBytes: number): ChangesPage {
  const { commitSeq: position } = readApplied(reader);
  const namespace = readNamespace(reader, ns);
  if (!namespace || from > namespace.commitSeq) return { batches: [], through: position };
  const batches: ChangeBatch[] = [];
  let open: { -readonly [Field in keyof ChangeBatch]: ChangeBatch[Field] } | undefined;
  let events: ChangeEvent[] = [];
  let bytes = 0;
  const { lt } = prefixRange(namespacePrefix(Table.changes, namespace.number));
  for (const [key, value] of reader.scan({ gte: changeKey(namespace.number, from, 0), lt })) {
    const seq = readPosition(key).seq as CommitSeq;
    const change = decodeChange(value);
    if (open?.commitSeq !== seq) {
      if (open && bytes >= maxBytes) return { batches, through: open.commitSeq };
      events = [];
      open = { ns, commitSeq: seq, prevCommitSeq: change.prevCommitSeq, tsMs: change.tsMs, events };
      batches.push(open);
    }
    const event = readEvent(reader, namespace.number, seq, change);
    events.push(event);
    bytes += EVENT_BYTES + change.id.length + (event.object?.length ?? change.labels.length);
  }
  return { batches, through: position };
}

function readEvent(reader: StateReader, ns: number, seq: CommitSeq, change: ChangeRow): ChangeEvent {
  const id = decodeUtf8(change.id);
  if (change.kind !== ChangeKind.put) {
    const reason = change.kind === ChangeKind.expired ? 'expired' : 'delete';
    return { kind: 'delete', reason, id, ...readLabels(change.labels) };
  }
  const row = readVersion(reader, ns, change.id, seq);
  return { kind: 'put', id, ...readLabels(row.labels), object: row.json };
}

/** The version of an object that a change made: still its head, or among its versions. */
function readVersion(reader: StateReader, ns: number, id: Uint8Array, seq: CommitSeq): HeadRow {
  const head = reader.get(headKey(ns, id, 0, id.length));
  if (head) {
    const row = new HeadRow(head);
    if (row.commitSeq === seq) return row;
  }
  const version = reader.get(versionKey(ns, id, seq));
  if (!version) throw new Error(`the version that change ${seq} made is missing`);
  return new HeadRow(version);
}

/** The position of a namespace's newest change; 0 when it never had one. */
export function newestChange(reader: StateReader, ns: string): CommitSeq {
  return readNamespace(reader, ns)?.commitSeq ?? (0 as CommitSeq);
}

/** The first position from which a namespace's history is whole: nothing at or after it was forgotten. */
export function firstAvailable(reader: StateReader, ns: string): CommitSeq {
  const { historyFloor } = readApplied(reader);
  const compactedThrough = readNamespace(reader, ns)?.compactedThrough ?? 0;
  return Math.max(historyFloor, compactedThrough + 1) as CommitSeq;
}

/** The oldest commit still held: what tells a leader that compaction is due. */
export function oldestCommit(
  reader: StateReader,
): { readonly commitSeq: CommitSeq; readonly tsMs: number } | undefined {
  const { historyFrom, commitSeq } = readApplied(reader);
  const range = { gte: commitKey(historyFrom, 0), lt: commitKey(commitSeq + 1, 0), limit: 1 };
  for (const [key, value] of reader.scan(range)) {
    return { commitSeq: readCommitKey(key).seq as CommitSeq, tsMs: decodeCommit(value).tsMs };
  }
  return undefined;
}

/** A scan pins old data while it is open: it must be closed. */
export interface HeadScan {
  /** Position that the scan shows. */
  readonly position: CommitSeq;
  /** The next objects in id order, at most about `maxBytes` and at least one; empty at the end. */
  next(maxBytes: number): readonly ScannedObject[];
  close(): void;
}

/** Scans the live objects that match, as of this call; what has expired by `nowMs` is left out. */
export function openScan(
  reader: StateReader,
  ns: string,
  conditions: ObjectConditions,
  nowMs: number,
): HeadScan {
  const { commitSeq: position } = readApplied(reader);
  const namespace = readNamespace(reader, ns);
  if (!namespace) return { position, next: () => [], close: () => undefined };
  const filter = new ObjectFilter(conditions);
  const prefix = namespacePrefix(Table.heads, namespace.number);
  const key = headKey(namespace.number, filter.prefix, 0, filter.prefix.length);
  const rows = reader.scan(prefixRange(key))[Symbol.iterator]();
  const next = (maxBytes: number): ScannedObject[] => {
    const found: ScannedObject[] = [];
    for (let bytes = 0; bytes < maxBytes || found.length === 0;) {
      const row = rows.next();
      if (row.done) break;
      const head = new HeadRow(row.value[1]);
      if (!head.isLive(nowMs) || !filter.matchesLabels(head.labels)) continue;
      const id = decodeUtf8(row.value[0], prefix.length);
      found.push({ id, commitSeq: head.commitSeq, tsMs: head.tsMs, json: head.json });
      bytes += EVENT_BYTES + head.jsonBytes;
    }
    return found;
  };
  return { position, next, close: () => void rows.return?.() };
}
