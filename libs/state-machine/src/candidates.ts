import { ByteWriter, compareBytes, decodeUtf8, prefixEnd } from '#codec';
import { ChangeRow } from './change-row';
import { Table } from './format';
import { HeadRow } from './head-row';
import { headKey, namespacePrefix, positionBytes, readPosition, tagKey, typeKey } from './keys';
import type { NamespaceRow } from './namespaces';
import type { ObjectFilter } from './object-filter';
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

/** Rows that tell the size of an index range: enough to choose between ranges, few enough to cost little. */
const PROBE_ROWS = 64;
/** Up to here an order other than by id is made by sorting what the narrowest range holds. */
const SORT_ROWS = 1_000;
/** Up to here all objects are sorted, when most of the changes on the way would be of versions that are gone. */
const SORT_OBJECTS = 20_000;
/** Changes for each live object from which on that is so. */
const MANY_CHANGES = 4;
const NO_ID = new Uint8Array(0);

/** A run of rows in id order, each naming an object; `heads` rows are the objects themselves. */
interface IdRange {
  readonly prefix: Uint8Array;
  readonly ofHeads: boolean;
  /** What it is a range of, for who asks how a query is answered. */
  readonly name: string;
}

/** How the objects of a query are come by: by going through a range, by sorting what it holds, or by the changes. */
export interface Way {
  readonly kind: 'range' | 'sorting' | 'changes';
  readonly range: IdRange;
}

/** The way on which the fewest rows are read, as far as a look at the indexes tells. */
export function wayTo(
  reader: StateReader,
  { number: ns, objects, changes }: NamespaceRow,
  filter: ObjectFilter,
  order: Order,
): Way {
  const heads: IdRange = { prefix: namespacePrefix(Table.heads, ns), ofHeads: true, name: 'objects' };
  const indexes = indexRanges(ns, filter);
  if (order === 'id') {
    return { kind: 'range', range: narrowest(reader, indexes, filter, PROBE_ROWS)?.range ?? heads };
  }
  const ranges = filter.prefix.length > 0 ? [...indexes, heads] : indexes;
  const narrow = narrowest(reader, ranges, filter, SORT_ROWS);
  const isMostlyHistory = changes > objects * MANY_CHANGES && objects <= SORT_OBJECTS;
  if (narrow && narrow.rows < SORT_ROWS) return { kind: 'sorting', range: narrow.range };
  return { kind: isMostlyHistory ? 'sorting' : 'changes', range: heads };
}

/** Objects that going a way means to look at, counted up to `most`. */
export function countOnWay(
  reader: StateReader,
  { objects }: NamespaceRow,
  { kind, range }: Way,
  filter: ObjectFilter,
  most: number,
): number {
  if (kind === 'changes' || (range.ofHeads && filter.prefix.length === 0)) return objects;
  return narrowest(reader, [range], filter, most)?.rows ?? 0;
}

/**
 * Objects of a namespace in the order asked for, from after `after` on: some of them fail the filter, and none that
 * passes it is missing. Each is read as of the scan's start or later.
 */
export function candidates(
  reader: StateReader,
  { number: ns }: NamespaceRow,
  { kind, range }: Way,
  filter: ObjectFilter,
  order: Order,
  after: Uint8Array | undefined,
): Iterable<Candidate> {
  switch (kind) {
    case 'range':
      return byId(reader, ns, range, filter, after);
    case 'sorting':
      return bySorting(reader, ns, range, filter, order, after);
    case 'changes':
      return byChanges(reader, ns, order, after);
  }
}

/** One range of index rows for each condition on tags and type. */
function indexRanges(ns: number, filter: ObjectFilter): IdRange[] {
  const ranges: IdRange[] = filter.tags.map(([key, value]) => ({
    prefix: tagKey(ns, key, value, NO_ID),
    ofHeads: false,
    name: `tag ${decodeUtf8(key)}`,
  }));
  if (filter.type !== undefined)
    ranges.push({ prefix: typeKey(ns, filter.type, NO_ID), ofHeads: false, name: 'type' });
  return ranges;
}

/** The range with the fewest rows, counted up to `most`; of equals the first. */
function narrowest(
  reader: StateReader,
  ranges: readonly IdRange[],
  filter: ObjectFilter,
  most: number,
): { readonly range: IdRange; readonly rows: number } | undefined {
  let best: { range: IdRange; rows: number } | undefined;
  for (const range of ranges) {
    let rows = 0;
    const limit = Math.min(most, best?.rows ?? most);
    for (const row of reader.scan({ ...idRange(range, filter, undefined), limit }))
      rows += row.length > 0 ? 1 : 0;
    if (!best || rows < best.rows) best = { range, rows };
  }
  return best;
}

function idRange({ prefix }: IdRange, filter: ObjectFilter, after: Uint8Array | undefined): KeyRange {
  const from = new ByteWriter(prefix.length + filter.prefix.length);
  from.raw(prefix);
  from.raw(filter.prefix);
  const start = from.finish();
  const lt = prefixEnd(start);
  if (!after) return { gte: start, lt };
  const next = new ByteWriter(prefix.length + after.length + 1);
  next.raw(prefix);
  next.raw(after);
  next.u8(0);
  const gte = next.finish();
  return { gte: compareBytes(gte, start) < 0 ? start : gte, lt };
}

function* byId(
  reader: StateReader,
  ns: number,
  range: IdRange,
  filter: ObjectFilter,
  after: Uint8Array | undefined,
): Iterable<Candidate> {
  for (const [key, value] of reader.scan(idRange(range, filter, after))) {
    const id = key.subarray(range.prefix.length);
    const head = range.ofHeads ? new HeadRow(value) : readHead(reader, ns, id);
    if (head) yield { id, head, position: id };
  }
}

function* bySorting(
  reader: StateReader,
  ns: number,
  range: IdRange,
  filter: ObjectFilter,
  order: Order,
  after: Uint8Array | undefined,
): Iterable<Candidate> {
  const direction = order === 'commit_seq' ? 1 : -1;
  const found = [...byId(reader, ns, range, filter, undefined)]
    .map(({ id, head }) => ({ id, head, position: positionBytes(head.commitSeq, head.operation) }))
    .sort((left, right) => direction * compareBytes(left.position, right.position));
  for (const candidate of found) {
    if (!after || direction * compareBytes(candidate.position, after) > 0) yield candidate;
  }
}

/** The changes are in order, and those that made a version which is still live lead to it. */
function* byChanges(
  reader: StateReader,
  ns: number,
  order: Order,
  after: Uint8Array | undefined,
): Iterable<Candidate> {
  const prefix = namespacePrefix(Table.changes, ns);
  const reverse = order === '-commit_seq';
  let range: KeyRange = { gte: prefix, lt: prefixEnd(prefix), reverse };
  if (after) {
    const bound = new ByteWriter(prefix.length + after.length + 1);
    bound.raw(prefix);
    bound.raw(after);
    if (!reverse) bound.u8(0);
    range = reverse ? { ...range, lt: bound.finish() } : { ...range, gte: bound.finish() };
  }
  for (const [key, value] of reader.scan(range)) {
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
