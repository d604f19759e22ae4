import { compareBytes, decodeUtf8, prefixEnd } from '#codec';
import type { WhereCondition } from '#contracts';
import { fieldSources } from './fields/field-conditions';
import type { FieldIndex } from './fields/field-indexes';
import { endOfFieldValue } from './fields/field-value';
import { Table } from './format';
import { fieldPrefix, keyAfter, namespacePrefix, tagKey, typeKey } from './keys';
import type { ObjectFilter } from './object-filter';
import type { KeyRange, StateReader } from './state-reader';

/**
 * Rows that name objects, and in which all of a query are: the objects themselves, rows of an index that begin
 * with one of some prefixes and go on with the id, or a range of the rows of an index, in the order of its values.
 */
export interface IdSource {
  /** What it is, for who asks how a query is answered. */
  readonly name: string;
  readonly rows:
    | { readonly kind: 'heads' | 'values'; readonly prefixes: readonly Uint8Array[] }
    | { readonly kind: 'span'; readonly range: KeyRange; readonly valueStart: number };
  /** Conditions on bodies that all objects named here meet. */
  readonly decided: ReadonlySet<WhereCondition>;
}

/** An object that a row names; `value` is the row's, which is a head where heads are gone through. */
export interface NamedId {
  readonly id: Uint8Array;
  readonly value: Uint8Array;
}

/** Counts the rows that a read has gone through. */
export interface RowCount {
  rows: number;
}

const NO_ID = new Uint8Array(0);
const NOTHING: ReadonlySet<WhereCondition> = new Set();

export function headSource(ns: number): IdSource {
  return {
    name: 'objects',
    rows: { kind: 'heads', prefixes: [namespacePrefix(Table.heads, ns)] },
    decided: NOTHING,
  };
}

/** Sources that the conditions of a query lead to; those first that mostly are small. */
export function indexSources(
  ns: number,
  filter: ObjectFilter,
  where: readonly WhereCondition[],
  indexes: readonly FieldIndex[],
): IdSource[] {
  const [values, spans]: [IdSource[], IdSource[]] = [[], []];
  for (const { index, rows, decided } of fieldSources(ns, indexes, where)) {
    const name = `field ${index.text}`;
    if (rows.kind === 'values') values.push({ name, rows, decided });
    else
      spans.push({
        name,
        rows: { ...rows, valueStart: fieldPrefix(ns, index.number).length },
        decided,
      });
  }
  const labels = filter.tags.map(([key, value]): IdSource => {
    const prefixes = [tagKey(ns, key, value, NO_ID)];
    return { name: `tag ${decodeUtf8(key)}`, rows: { kind: 'values', prefixes }, decided: NOTHING };
  });
  if (filter.type !== undefined) {
    const prefixes = [typeKey(ns, filter.type, NO_ID)];
    labels.push({ name: 'type', rows: { kind: 'values', prefixes }, decided: NOTHING });
  }
  return [...values, ...labels, ...spans];
}

/** Rows of a source, counted up to `most`. */
export function countRows(
  reader: StateReader,
  { rows }: IdSource,
  filter: ObjectFilter,
  most: number,
): number {
  let count = 0;
  const ranges =
    rows.kind === 'span' ? [rows.range] : rows.prefixes.map((prefix) => idRange(prefix, filter, undefined));
  for (const range of ranges) {
    if (count >= most) break;
    if (compareBytes(range.gte, range.lt) >= 0) continue;
    for (const row of reader.scan({ ...range, limit: most - count })) count += row.length > 0 ? 1 : 0;
  }
  return count;
}

/** The objects that a source names, in id order from after `after` on, each once. */
export function idsOf(
  reader: StateReader,
  { rows }: IdSource,
  filter: ObjectFilter,
  after: Uint8Array | undefined,
  read: RowCount,
): Iterable<NamedId> {
  if (rows.kind === 'span') return sorted(spanIds(reader, rows, filter, after, read));
  const runs = rows.prefixes.map((prefix) => run(reader, prefix, filter, after, read));
  return runs.length === 1 ? (runs[0] as Iterable<NamedId>) : merged(runs);
}

/** The objects that a source names, in any order, each once. */
export function* idsInAnyOrder(
  reader: StateReader,
  { rows }: IdSource,
  filter: ObjectFilter,
  read: RowCount,
): Iterable<NamedId> {
  if (rows.kind === 'span') yield* spanIds(reader, rows, filter, undefined, read);
  else for (const prefix of rows.prefixes) yield* run(reader, prefix, filter, undefined, read);
}

function* run(
  reader: StateReader,
  prefix: Uint8Array,
  filter: ObjectFilter,
  after: Uint8Array | undefined,
  read: RowCount,
): Generator<NamedId> {
  for (const [key, value] of reader.scan(idRange(prefix, filter, after))) {
    read.rows++;
    yield { id: key.subarray(prefix.length), value };
  }
}

/** An object has one value at a place, so no id comes twice. */
function* spanIds(
  reader: StateReader,
  { range, valueStart }: { readonly range: KeyRange; readonly valueStart: number },
  filter: ObjectFilter,
  after: Uint8Array | undefined,
  read: RowCount,
): Generator<NamedId> {
  // Bounds that exclude each other leave nothing.
  if (compareBytes(range.gte, range.lt) >= 0) return;
  for (const [key, value] of reader.scan(range)) {
    read.rows++;
    const id = key.subarray(endOfFieldValue(key, valueStart));
    if (after && compareBytes(id, after) <= 0) continue;
    if (filter.matchesId(id)) yield { id, value };
  }
}

function sorted(ids: Iterable<NamedId>): NamedId[] {
  return [...ids].sort((left, right) => compareBytes(left.id, right.id));
}

/** Several runs in id order as one: always the least of what stands at their fronts. */
function* merged(runs: readonly Generator<NamedId>[]): Generator<NamedId> {
  try {
    const fronts = runs.map((one) => ({ run: one, next: one.next() })).filter(({ next }) => !next.done);
    while (fronts.length > 0) {
      let least = 0;
      for (let at = 1; at < fronts.length; at++) {
        const [one, best] = [fronts[at]?.next.value as NamedId, fronts[least]?.next.value as NamedId];
        if (compareBytes(one.id, best.id) < 0) least = at;
      }
      const front = fronts[least] as (typeof fronts)[number];
      yield front.next.value as NamedId;
      front.next = front.run.next();
      if (front.next.done) fronts.splice(least, 1);
    }
  } finally {
    for (const one of runs) one.return(undefined);
  }
}

function idRange(prefix: Uint8Array, filter: ObjectFilter, after: Uint8Array | undefined): KeyRange {
  const start = new Uint8Array(prefix.length + filter.prefix.length);
  start.set(prefix);
  start.set(filter.prefix, prefix.length);
  const lt = prefixEnd(start);
  if (!after) return { gte: start, lt };
  const gte = keyAfter(prefix, after);
  return { gte: compareBytes(gte, start) < 0 ? start : gte, lt };
}
