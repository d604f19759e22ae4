import { ByteWriter, compareBytes, prefixEnd } from '#codec';
import { LIMITS, type WhereCondition } from '#contracts';
import { ChangeRow } from './change-row';
import { type FieldIndex, NO_FIELD_INDEXES } from './fields/field-indexes';
import { Table } from './format';
import { HeadRow } from './head-row';
import {
  countRows,
  headSource,
  type IdSource,
  idsInAnyOrder,
  idsOf,
  indexSources,
  type NamedId,
  type RowCount,
} from './id-sources';
import { headKey, keyAfter, namespacePrefix, positionBytes, readPosition } from './keys';
import type { NamespaceRow } from './namespaces';
import { ObjectFilter } from './object-filter';
import type { KeyRange, StateReader } from './state-reader';

/** An object that a page may hold, and what a cursor after it says. */
export interface Candidate {
  readonly id: Uint8Array;
  readonly head: HeadRow;
  readonly position: Uint8Array;
  /** Where the way there has led past it. */
  readonly version?: ChangeRow;
}

export type Order = 'id' | 'commit_seq' | '-commit_seq';

/** What a query asks for, and what there is to find it by. */
export interface Search {
  readonly namespace: NamespaceRow;
  readonly filter: ObjectFilter;
  readonly where: readonly WhereCondition[];
  readonly indexes: readonly FieldIndex[];
  readonly order: Order;
  /** Whether it may go through however many objects it takes. */
  readonly allowScan: boolean;
}

/** Rows that tell the size of an index range: a look costs little, and a second one is for those that pass it. */
const PROBE_ROWS = [64, 1_024] as const;
/** Up to here an order other than by id is made by sorting what the narrowest range holds. */
const SORT_ROWS = 1_000;
/** Up to here all objects are sorted, when most of the changes on the way would be of versions that are gone. */
const SORT_OBJECTS = 20_000;
/** Changes for each live object from which on that is so. */
const MANY_CHANGES = 4;

/** How the objects of a query are come by: by going through a source, by sorting what it holds, or by the changes. */
export interface Way {
  readonly kind: 'source' | 'sorting' | 'changes';
  readonly source: IdSource;
}

/** A source and how many rows it has, counted up to where others were known to be narrower. */
interface Sized {
  readonly source: IdSource;
  readonly rows: number;
}

export function searchFor(
  namespace: NamespaceRow,
  conditions: ConstructorParameters<typeof ObjectFilter>[0],
  more: Partial<Pick<Search, 'where' | 'indexes' | 'order' | 'allowScan'>>,
): Search {
  const { where = [], indexes = NO_FIELD_INDEXES, order = 'id', allowScan = false } = more;
  return { namespace, filter: new ObjectFilter(conditions), where, indexes, order, allowScan };
}

/** The way on which the fewest rows are read, as far as a look at the indexes tells. */
export function wayTo(reader: StateReader, search: Search): Way {
  const { namespace, filter, where, indexes, order } = search;
  const heads = headSource(namespace.number);
  const sources = indexSources(namespace.number, filter, where, indexes);
  return order === 'id'
    ? wayById(reader, search, sources, heads)
    : wayByChange(reader, search, sources, heads);
}

function wayById(
  reader: StateReader,
  { filter, where }: Search,
  sources: readonly IdSource[],
  heads: IdSource,
): Way {
  const [only] = sources;
  if (only === undefined) return { kind: 'source', source: heads };
  // Without others to choose between there is nothing to count; a range has to be known not to be too wide.
  if (sources.length === 1 && only.rows.kind !== 'span') return { kind: 'source', source: only };
  // One that decides everything is good however many rows it has: what is read of it is what is answered.
  const deciding = sources.find(
    ({ rows, decided }) => rows.kind === 'values' && where.every((condition) => decided.has(condition)),
  );
  const others = sources.filter((source) => source !== deciding);
  // All others are within the prefix themselves.
  if (filter.prefix.length > 0 && sources.some(({ rows }) => rows.kind === 'span')) others.push(heads);
  const most = deciding === undefined ? LIMITS.scanObjects + 1 : (PROBE_ROWS.at(-1) as number);
  const best = narrowest(reader, deciding === undefined ? others : [deciding, ...others], filter, most);
  // Rows that are not in id order are sorted for each page, so there may not be too many.
  const isTooWide = best?.source.rows.kind === 'span' && best.rows > LIMITS.scanObjects;
  return { kind: 'source', source: best === undefined || isTooWide ? heads : best.source };
}

function wayByChange(
  reader: StateReader,
  { namespace, filter, where, allowScan }: Search,
  sources: readonly IdSource[],
  heads: IdSource,
): Way {
  const { objects, changes } = namespace;
  const all = filter.prefix.length > 0 ? [...sources, heads] : sources;
  const isScan = where.length > 0 && !allowScan && objects > LIMITS.scanObjects;
  const most = isScan ? LIMITS.scanObjects + 1 : SORT_ROWS;
  const narrow = narrowest(reader, all, filter, most);
  if (narrow && narrow.rows < most) return { kind: 'sorting', source: narrow.source };
  const isMostlyHistory = changes > objects * MANY_CHANGES && objects <= SORT_OBJECTS;
  return { kind: isMostlyHistory ? 'sorting' : 'changes', source: heads };
}

/** Objects that going a way means to look at, counted up to `most`. */
export function countOnWay(
  reader: StateReader,
  { namespace, filter }: Search,
  { kind, source }: Way,
  most: number,
): number {
  const isAll = source.rows.kind === 'heads' && filter.prefix.length === 0;
  if (kind === 'changes' || isAll) return namespace.objects;
  return countRows(reader, source, filter, most);
}

/** Conditions on bodies for which every object on a way has to be read. */
export function undecided({ where }: Search, { kind, source }: Way): readonly WhereCondition[] {
  return kind === 'changes' ? where : where.filter((condition) => !source.decided.has(condition));
}

/**
 * Objects of a namespace in the order asked for, from after `after` on: some of them fail the filter, and none that
 * passes it is missing. Each is read as of the scan's start or later. `read` counts the rows gone through.
 */
export function candidates(
  reader: StateReader,
  search: Search,
  { kind, source }: Way,
  after: Uint8Array | undefined,
  read: RowCount,
): Iterable<Candidate> {
  const { namespace, filter, order } = search;
  switch (kind) {
    case 'source':
      return byId(reader, namespace.number, source, idsOf(reader, source, filter, after, read));
    case 'sorting': {
      const ids = idsInAnyOrder(reader, source, filter, read);
      return bySorting(byId(reader, namespace.number, source, ids), order, after);
    }
    case 'changes':
      return byChanges(reader, namespace.number, order, after, read);
  }
}

/** The source with the fewest rows, counted up to `most` in steps; of equals the first. */
function narrowest(
  reader: StateReader,
  sources: readonly IdSource[],
  filter: ObjectFilter,
  most: number,
): Sized | undefined {
  for (const step of [...PROBE_ROWS.filter((rows) => rows < most), most]) {
    let best: Sized | undefined;
    for (const source of sources) {
      const rows = countRows(reader, source, filter, Math.min(step, best?.rows ?? step));
      if (!best || rows < best.rows) best = { source, rows };
    }
    if (!best || best.rows < step || step === most) return best;
  }
  return undefined;
}

function* byId(
  reader: StateReader,
  ns: number,
  { rows }: IdSource,
  ids: Iterable<NamedId>,
): Generator<Candidate> {
  for (const { id, value } of ids) {
    const head = rows.kind === 'heads' ? new HeadRow(value) : readHead(reader, ns, id);
    if (head) yield { id, head, position: id };
  }
}

function* bySorting(
  found: Iterable<Candidate>,
  order: Order,
  after: Uint8Array | undefined,
): Generator<Candidate> {
  const direction = order === 'commit_seq' ? 1 : -1;
  const all = [...found]
    .map(({ id, head }) => ({ id, head, position: positionBytes(head.commitSeq, head.operation) }))
    .sort((left, right) => direction * compareBytes(left.position, right.position));
  for (const candidate of all) {
    if (!after || direction * compareBytes(candidate.position, after) > 0) yield candidate;
  }
}

/** The changes are in order, and those that made a version which is still live lead to it. */
function* byChanges(
  reader: StateReader,
  ns: number,
  order: Order,
  after: Uint8Array | undefined,
  read: RowCount,
): Generator<Candidate> {
  const prefix = namespacePrefix(Table.changes, ns);
  const reverse = order === '-commit_seq';
  let range: KeyRange = { gte: prefix, lt: prefixEnd(prefix), reverse };
  if (after) {
    const bound = new ByteWriter(prefix.length + after.length);
    bound.raw(prefix);
    bound.raw(after);
    range = reverse ? { ...range, lt: bound.finish() } : { ...range, gte: keyAfter(prefix, after) };
  }
  for (const [key, value] of reader.scan(range)) {
    read.rows++;
    const version = new ChangeRow(value);
    if (!version.isPut) continue;
    const { id } = version;
    const head = readHead(reader, ns, id);
    const { seq, operation } = readPosition(key);
    if (head?.commitSeq === seq) yield { id, head, position: positionBytes(seq, operation), version };
  }
}

/** Absent only where the object went after the scan of its index began. */
function readHead(reader: StateReader, ns: number, id: Uint8Array): HeadRow | undefined {
  const row = reader.get(headKey(ns, id, 0, id.length));
  return row && new HeadRow(row);
}
