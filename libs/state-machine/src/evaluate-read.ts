import { encodeUtf8 } from '#codec';
import { LIMITS, type ReadOutcome, type ReadRequest } from '#contracts';
import { type Candidate, candidates } from './candidates';
import { ChangeRow } from './change-row';
import { decodeCursor, encodeCursor } from './cursor';
import { HeadRow } from './head-row';
import { changeKey, headKey } from './keys';
import { readLease } from './lease-row';
import { readNamespace } from './namespaces';
import { ObjectFilter } from './object-filter';
import { projectBody } from './projection';
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
      return readObject(reader, request.ns, request.id, nowMs);
    case 'lease':
      return readLease(reader, request.ns, request.key);
    case 'list':
    case 'query':
      return readPage(reader, request, nowMs);
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

function readPage(reader: StateReader, request: PagedRequest, nowMs: number): ReadOutcome {
  let after: Uint8Array | undefined;
  if (request.cursor !== undefined) {
    after = decodeCursor(request, request.cursor);
    if (!after) {
      const detail = 'the cursor is damaged or belongs to another query';
      const extras = { errors: [{ field: 'cursor', reason: detail }] };
      return { kind: 'rejected', code: 'invalid_request', detail, extras };
    }
  }
  const namespace = readNamespace(reader, request.ns);
  if (!namespace) return { kind: 'page', objects: [] };
  const filter = new ObjectFilter(request);
  const order = request.kind === 'query' ? request.order : 'id';
  const found = candidates(reader, namespace, filter, order, after);
  const version = ({ head, version: known }: Candidate): ChangeRow =>
    known ?? readVersion(reader, namespace.number, head);
  return collectPage(request, filter, found, version, nowMs);
}

function collectPage(
  request: PagedRequest,
  filter: ObjectFilter,
  found: Iterable<Candidate>,
  versionOf: (candidate: Candidate) => ChangeRow,
  nowMs: number,
): ReadOutcome {
  const fields = request.kind === 'query' && request.fields ? new Set(request.fields) : undefined;
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
    const json = fields ? projectBody(version, fields) : version.json;
    objects.push(json);
    bytes += json.length;
  }
  return { kind: 'page', objects };
}
