import { encodeUtf8 } from '#codec';
import { LIMITS, type QueryPlan, type QueryRequest, type ReadOutcome, type ReadRequest } from '#contracts';
import {
  type Candidate,
  candidates,
  countOnWay,
  type Search,
  searchFor,
  undecided,
  type Way,
  wayTo,
} from './candidates';
import { ChangeRow } from './change-row';
import { decodeCursor, encodeCursor } from './cursor';
import { buildingPaths } from './fields/field-conditions';
import { readFieldIndexes } from './fields/field-indexes';
import { bodyOf } from './fields/field-rows';
import { HeadRow } from './head-row';
import { changeKey, headKey } from './keys';
import { readLease } from './lease-row';
import { type NamespaceRow, readNamespace } from './namespaces';
import { type ObjectFilter } from './object-filter';
import { projectBody } from './projection';
import { meets } from './query/where';
import { readHistory, readPast } from './read-history';
import type { StateReader } from './state-reader';

type PagedRequest = Extract<ReadRequest, { kind: 'list' | 'query' }>;

/**
 * A page also ends, with a cursor, once it has looked at this many objects: a query that few match must not hold up
 * everything else. Such a page may be short, even empty, and still have a next one.
 */
const PAGE_SCAN_ROWS = 20_000;

/**
 * Answers a read from a replica's state. What has expired by `nowMs` (milliseconds since 1970, by the caller's
 * clock) is absent, removed or not. A cursor that is damaged or of another query is `invalid_request`.
 */
export function evaluateRead(reader: StateReader, request: ReadRequest, nowMs: number): ReadOutcome {
  switch (request.kind) {
    case 'get':
      return request.at
        ? readPast(reader, request, request.at)
        : readObject(reader, request.ns, request.id, nowMs);
    case 'history':
      return readHistory(reader, request);
    case 'explain':
      return explainQuery(reader, request.query, nowMs);
    case 'indexes':
      return readIndexes(reader, request.ns);
    case 'lease':
      return readLease(reader, request.ns, request.key);
    case 'list':
    case 'query':
      return readPage(reader, request, nowMs).outcome;
  }
}

function readObject(reader: StateReader, ns: string, id: string, nowMs: number): ReadOutcome {
  const namespace = readNamespace(reader, ns);
  if (!namespace) return { kind: 'absent' };
  const idBytes = encodeUtf8(id);
  const row = reader.get(headKey(namespace.number, idBytes, 0, idBytes.length));
  if (!row) return { kind: 'absent' };
  const head = new HeadRow(row);
  if (!head.isLive(nowMs)) return { kind: 'absent' };
  const { json } = readVersion(reader, namespace.number, head);
  return { kind: 'object', json, commitSeq: head.commitSeq };
}

/** The version that a head names. Throws where it is missing: the rows are not as they must be. */
export function readVersion(reader: StateReader, ns: number, head: HeadRow): ChangeRow {
  const row = reader.get(changeKey(ns, head.commitSeq, head.operation));
  if (!row) throw new Error(`the version at ${head.commitSeq} that a head names is missing`);
  return new ChangeRow(row);
}

/** What of its indexes a namespace can use, and what is not complete yet. */
function readIndexes(reader: StateReader, ns: string): ReadOutcome {
  const namespace = readNamespace(reader, ns);
  const indexes = namespace ? readFieldIndexes(reader, namespace.number) : [];
  const inState = (wanted: string): string[] =>
    indexes.filter(({ state }) => state === wanted).map(({ text }) => text);
  return { kind: 'indexes', ready: inState('ready'), building: inState('building') };
}

interface ReadPage {
  readonly outcome: ReadOutcome;
  /** Rows that were gone through. */
  readonly rows: number;
}

function readPage(reader: StateReader, request: PagedRequest, nowMs: number): ReadPage {
  let after: Uint8Array | undefined;
  if (request.cursor !== undefined) {
    after = decodeCursor(request, request.cursor);
    if (!after) return refused('cursor', 'the cursor is damaged or belongs to another query');
  }
  const namespace = readNamespace(reader, request.ns);
  if (!namespace) return { outcome: { kind: 'page', objects: [] }, rows: 0 };
  const search = searchOf(reader, namespace, request);
  const way = wayTo(reader, search);
  if (!mayScan(reader, search, way)) return refused('where', tooWide(search, way));
  const read = { rows: 0 };
  const found = candidates(reader, search, way, after, read);
  const version = ({ head, version: known }: Candidate): ChangeRow =>
    known ?? readVersion(reader, namespace.number, head);
  return { outcome: collectPage(request, search.filter, found, version, nowMs), rows: read.rows };
}

function searchOf(reader: StateReader, namespace: NamespaceRow, request: PagedRequest): Search {
  if (request.kind === 'list') return searchFor(namespace, request, {});
  const { where = [], order, allowScan } = request;
  const indexes = where.length > 0 ? readFieldIndexes(reader, namespace.number) : [];
  return searchFor(namespace, request, { where, indexes, order, allowScan });
}

/** Objects are read to tell whether they are meant only for what no index decides: there may not be too many. */
function mayScan(reader: StateReader, search: Search, way: Way): boolean {
  if (search.allowScan || undecided(search, way).length === 0) return true;
  return countOnWay(reader, search, way, LIMITS.scanObjects + 1) <= LIMITS.scanObjects;
}

function tooWide(search: Search, way: Way): string {
  const building = buildingPaths(search.indexes, search.where);
  const texts = [...new Set(undecided(search, way).map(({ text }) => text))];
  const index =
    building.length > 0
      ? `wait until the index of ${building.join(', ')} is complete`
      : `index ${texts.join(', ')} (the namespace's setting indexes)`;
  return `would go through more than ${LIMITS.scanObjects} objects: ${index}, narrow it by type, tags or prefix, or send allow_scan=true`;
}

/** Says how a query is answered, and what its first page takes when it is read now. */
function explainQuery(reader: StateReader, query: QueryRequest, nowMs: number): ReadOutcome {
  const namespace = readNamespace(reader, query.ns);
  if (!namespace) {
    const comparedPaths = [...new Set((query.where ?? []).map(({ text }) => text))];
    const nothing = { buildingPaths: [], rowsExpected: 0, rowsRead: 0, rowsReturned: 0 };
    return { kind: 'plan', plan: { index: 'objects', comparedPaths, isAllowed: true, ...nothing } };
  }
  const search = searchOf(reader, namespace, query);
  const way = wayTo(reader, search);
  const isAllowed = mayScan(reader, search, way);
  const { outcome, rows } = isAllowed
    ? readPage(reader, query, nowMs)
    : readPage(reader, { ...query, allowScan: true }, nowMs);
  if (outcome.kind !== 'page') return outcome;
  const plan: QueryPlan = {
    index: way.kind === 'changes' ? 'changes' : way.source.name,
    rowsExpected: countOnWay(reader, search, way, LIMITS.scanObjects + 1),
    comparedPaths: [...new Set(undecided(search, way).map(({ text }) => text))],
    buildingPaths: buildingPaths(search.indexes, search.where),
    isAllowed,
    rowsRead: rows,
    rowsReturned: outcome.objects.length,
  };
  return { kind: 'plan', plan };
}

function refused(field: string, reason: string): ReadPage {
  const extras = { errors: [{ field, reason }] };
  const detail = `${field}: ${reason}`;
  return { outcome: { kind: 'rejected', code: 'invalid_request', detail, extras }, rows: 0 };
}

function collectPage(
  request: PagedRequest,
  filter: ObjectFilter,
  found: Iterable<Candidate>,
  versionOf: (candidate: Candidate) => ChangeRow,
  nowMs: number,
): ReadOutcome {
  const isQuery = request.kind === 'query';
  const fields = isQuery && request.fields ? new Set(request.fields) : undefined;
  const where = isQuery && request.where && request.where.length > 0 ? request.where : undefined;
  const objects: Uint8Array[] = [];
  let bytes = 0;
  let looked = 0;
  let last: Uint8Array | undefined;
  for (const candidate of found) {
    const { id, head, position } = candidate;
    const isFull = objects.length >= request.limit || bytes >= LIMITS.pageBytes || looked >= PAGE_SCAN_ROWS;
    if (isFull && last) return { kind: 'page', objects, nextCursor: encodeCursor(request, last) };
    last = position;
    looked++;
    if (!head.isLive(nowMs) || !filter.matchesId(id) || !filter.matchesLabels(head.labels)) continue;
    const version = versionOf(candidate);
    if (where && !meets(bodyOf(version), where)) continue;
    const json = fields ? projectBody(version, fields) : version.json;
    objects.push(json);
    bytes += json.length;
  }
  return { kind: 'page', objects };
}
