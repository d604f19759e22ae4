import { ByteReader, ByteWriter, encodeUtf8 } from '#codec';
import { type CommitSeq, LIMITS, type PastMoment, type ReadOutcome, type ReadRequest } from '#contracts';
import { ChangeRow } from './change-row';
import { decodeCommit } from './commit-row';
import { readApplied } from './counters';
import { decodeCursor, encodeCursor } from './cursor';
import { ChangeKind } from './format';
import { HeadRow } from './head-row';
import { changeKey, commitKey, headKey, readCommitKey, versionKey } from './keys';
import { type NamespaceRow, readNamespace } from './namespaces';
import { formatTime } from './object-row';
import { firstAvailable } from './read-changes';
import type { StateReader } from './state-reader';
import { decodeVersionEntry } from './version-index';

type GetRequest = Extract<ReadRequest, { kind: 'get' }>;
type HistoryRequest = Extract<ReadRequest, { kind: 'history' }>;

/** Bytes that end a version's key. */
const SEQUENCE_BYTES = 8;

/**
 * The object as it was at a position or a time. What lies before the history that is held is `compacted`: there the
 * state can no longer tell an object that was from one that was not.
 */
export function readPast(reader: StateReader, request: GetRequest, moment: PastMoment): ReadOutcome {
  const { ns, id } = request;
  const { commitSeq: newest } = readApplied(reader);
  const namespace = readNamespace(reader, ns);
  const first = firstAvailable(reader, ns);
  const seq = 'seq' in moment ? moment.seq : positionAt(reader, moment.timeMs);
  if (seq !== undefined && seq > newest) {
    const reason = `lies beyond the newest position, ${newest}`;
    return {
      kind: 'rejected',
      code: 'invalid_request',
      detail: `at_seq: ${reason}`,
      extras: { errors: [{ field: 'at_seq', reason }] },
    };
  }
  const isPresent = namespace !== undefined && seq !== undefined && seq >= namespace.commitSeq;
  if (!isPresent && first > 1 && (seq === undefined || seq < first)) {
    const detail = `the history of this namespace begins at position ${first}`;
    return { kind: 'rejected', code: 'compacted', detail, extras: { first_available: first } };
  }
  if (!namespace || seq === undefined) return { kind: 'absent' };
  const version = versionAt(reader, namespace.number, encodeUtf8(id), seq);
  if (!version?.row.isPut) return { kind: 'absent' };
  const { json, expiresAtMs } = version.row;
  const thenMs = 'timeMs' in moment ? moment.timeMs : timeOf(reader, seq);
  if (expiresAtMs !== 0 && expiresAtMs <= thenMs) return { kind: 'absent' };
  return { kind: 'object', json, commitSeq: version.seq };
}

/** Versions of an object, newest first; a deletion is one, too. What history no longer holds is left out. */
export function readHistory(reader: StateReader, request: HistoryRequest): ReadOutcome {
  let before: number | undefined;
  if (request.cursor !== undefined) {
    const position = decodeCursor(request, request.cursor);
    if (position?.length !== SEQUENCE_BYTES) {
      const reason = 'the cursor is damaged or belongs to another query';
      return {
        kind: 'rejected',
        code: 'invalid_request',
        detail: reason,
        extras: { errors: [{ field: 'cursor', reason }] },
      };
    }
    before = new ByteReader(position).u64();
  }
  const namespace = readNamespace(reader, request.ns);
  if (!namespace) return { kind: 'page', objects: [] };
  const objects: Uint8Array[] = [];
  let bytes = 0;
  let last = 0;
  for (const { seq, row } of versions(reader, namespace, encodeUtf8(request.id), before)) {
    if (objects.length >= request.limit || bytes >= LIMITS.pageBytes) {
      const position = new ByteWriter(SEQUENCE_BYTES);
      position.u64(last);
      return { kind: 'page', objects, nextCursor: encodeCursor(request, position.finish()) };
    }
    const json = row.isPut ? row.json : deletionJson(request, seq, row);
    objects.push(json);
    bytes += json.length;
    last = seq;
  }
  return { kind: 'page', objects };
}

interface Version {
  readonly seq: CommitSeq;
  readonly row: ChangeRow;
}

/** Newest first, from below `before` on. */
function* versions(
  reader: StateReader,
  { number: ns }: NamespaceRow,
  id: Uint8Array,
  before: number = Number.MAX_SAFE_INTEGER,
): Iterable<Version> {
  const head = readHead(reader, ns, id);
  if (head && head.commitSeq < before) yield versionOf(reader, ns, head.commitSeq, head.operation);
  const range = { gte: versionKey(ns, id, 0), lt: versionKey(ns, id, before), reverse: true };
  for (const [key, value] of reader.scan(range)) {
    const seq = new ByteReader(key, key.length - SEQUENCE_BYTES).u64() as CommitSeq;
    yield versionOf(reader, ns, seq, decodeVersionEntry(value).operation);
  }
}

/** What was newest of an object at a position; `undefined` where it had never been. */
function versionAt(reader: StateReader, ns: number, id: Uint8Array, seq: number): Version | undefined {
  const head = readHead(reader, ns, id);
  if (head && head.commitSeq <= seq) return versionOf(reader, ns, head.commitSeq, head.operation);
  const range = { gte: versionKey(ns, id, 0), lt: versionKey(ns, id, seq + 1), reverse: true, limit: 1 };
  for (const [key, value] of reader.scan(range)) {
    const at = new ByteReader(key, key.length - SEQUENCE_BYTES).u64() as CommitSeq;
    return versionOf(reader, ns, at, decodeVersionEntry(value).operation);
  }
  return undefined;
}

function readHead(reader: StateReader, ns: number, id: Uint8Array): HeadRow | undefined {
  const row = reader.get(headKey(ns, id, 0, id.length));
  return row && new HeadRow(row);
}

function versionOf(reader: StateReader, ns: number, seq: CommitSeq, operation: number): Version {
  const row = reader.get(changeKey(ns, seq, operation));
  if (!row) throw new Error(`the change at ${seq} that a version names is missing`);
  return { seq, row: new ChangeRow(row) };
}

function deletionJson({ ns, id }: HistoryRequest, seq: CommitSeq, { kind, tsMs }: ChangeRow): Uint8Array {
  const reason = kind === ChangeKind.expired ? 'expired' : 'delete';
  return encodeUtf8(JSON.stringify({ id, ns, deleted: true, reason, commit_seq: seq, ts: formatTime(tsMs) }));
}

/** The newest position whose change was made by `timeMs`; 0 before the first, `undefined` before what is held. */
function positionAt(reader: StateReader, timeMs: number): number | undefined {
  const { commitSeq, historyFrom, historyFloor, lastTsMs } = readApplied(reader);
  if (timeMs >= lastTsMs) return commitSeq;
  let found: number | undefined = historyFrom <= 1 && historyFloor <= 1 ? 0 : undefined;
  // Times never go back, so the commits can be halved until the last one that is not too late is left.
  let low: number = historyFrom;
  let high: number = commitSeq;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const commit = commitFrom(reader, middle, high);
    if (!commit) {
      high = middle - 1;
    } else if (commit.tsMs <= timeMs) {
      found = commit.seq;
      low = commit.seq + 1;
    } else {
      high = middle - 1;
    }
  }
  return found;
}

/** The first commit from `low` to `high`, both inclusive. */
function commitFrom(
  reader: StateReader,
  low: number,
  high: number,
): { readonly seq: number; readonly tsMs: number } | undefined {
  for (const [key, value] of reader.scan({ gte: commitKey(low, 0), lt: commitKey(high + 1, 0), limit: 1 })) {
    return { seq: readCommitKey(key).seq, tsMs: decodeCommit(value).tsMs };
  }
  return undefined;
}

/** When the newest change at or below a position was made; 0 when none is held. */
function timeOf(reader: StateReader, seq: number): number {
  const range = { gte: commitKey(0, 0), lt: commitKey(seq + 1, 0), reverse: true, limit: 1 };
  for (const [, value] of reader.scan(range)) return decodeCommit(value).tsMs;
  return 0;
}
