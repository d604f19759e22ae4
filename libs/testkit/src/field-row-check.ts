import type { StateStore } from '#replication';
import { allFieldIndexes, readNamespace, type FieldIndex } from '#state-machine';
import { compare } from './where-model';

const FIELD_TABLE = 0x22;
const KINDS = ['null', 'false', 'true', 'number', 'string', 'object', 'array'];
const STRING_BYTES = 256;

interface FieldRow {
  readonly kind: string;
  /** A number, or the first bytes of a string. */
  readonly value: number | Buffer | undefined;
  readonly id: string;
}

/** What an index is made from. */
export interface IndexedObject {
  readonly id: string;
  readonly body: unknown;
}

/**
 * Compares the rows of all indexes with the objects of their namespaces, read in another way: a complete index has
 * exactly one row for each object that has a value at its place, in the order of the values; one that is built has
 * those up to where it has come and no wrong one beyond. Unless there may be rows of namespaces that are not among
 * them, of others nothing is left. The difference, or `undefined`.
 */
export function compareFieldRows(
  store: StateStore,
  objects: ReadonlyMap<string, readonly IndexedObject[]>,
  { others }: { readonly others: 'none' | 'any' } = { others: 'none' },
): string | undefined {
  const all = allFieldIndexes(store);
  let known = 0;
  for (const [ns, live] of objects) {
    const number = readNamespace(store, ns)?.number;
    if (number === undefined) continue;
    for (const index of all.get(ns) ?? []) {
      const rows = rowsOf(store, number, index.number);
      known += rows.length;
      const found = index.state === 'dropping' ? undefined : compareIndex(index, rows, live);
      if (found !== undefined) return `${ns} ${index.text} (${index.state}): ${found}`;
    }
  }
  if (others === 'any') return undefined;
  const stray =
    [...store.scan({ gte: Uint8Array.of(FIELD_TABLE), lt: Uint8Array.of(FIELD_TABLE + 1) })].length - known;
  return stray === 0 ? undefined : `${stray} rows belong to no index`;
}

function compareIndex(
  index: FieldIndex,
  rows: readonly FieldRow[],
  objects: readonly IndexedObject[],
): string | undefined {
  const expected = objects.flatMap((object): FieldRow[] => {
    const value = index.path.reduce<unknown>(step, object.body);
    return value === undefined ? [] : [rowOf(value, object.id)];
  });
  const text = ({ kind, value, id }: FieldRow): string =>
    `${id} ${kind} ${Buffer.isBuffer(value) ? value.toString('latin1') : String(value)}`;
  const isDue = ({ id }: FieldRow): boolean =>
    index.state === 'ready' || Buffer.compare(Buffer.from(id), Buffer.from(index.through)) <= 0;
  const found = new Set(rows.map(text));
  const right = new Set(expected.map(text));
  const missing = expected.filter((row) => isDue(row) && !found.has(text(row)));
  const wrong = rows.filter((row) => !right.has(text(row)));
  const unordered = rows.filter((row, at) => at > 0 && !isAfter(row, rows[at - 1] as FieldRow));
  const problems = [...missing.map((row) => `lacks ${text(row)}`), ...wrong.map((row) => `has ${text(row)}`)];
  problems.push(...unordered.map((row) => `${text(row)} is out of order`));
  return problems.length === 0 ? undefined : problems.join('; ');
}

function isAfter(row: FieldRow, before: FieldRow): boolean {
  const kinds = KINDS.indexOf(row.kind) - KINDS.indexOf(before.kind);
  if (kinds !== 0) return kinds > 0;
  const values =
    Buffer.isBuffer(row.value) && Buffer.isBuffer(before.value)
      ? Buffer.compare(row.value, before.value)
      : compare(row.value ?? 0, before.value ?? 0);
  return values === 0 ? Buffer.compare(Buffer.from(row.id), Buffer.from(before.id)) > 0 : values > 0;
}

function step(value: unknown, name: string | number): unknown {
  if (typeof name === 'number') return Array.isArray(value) ? (value.at(name) as unknown) : undefined;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;
}

function rowOf(value: unknown, id: string): FieldRow {
  if (typeof value === 'number') return { kind: 'number', value: value === 0 ? 0 : value, id };
  if (typeof value === 'string')
    return { kind: 'string', value: Buffer.from(value).subarray(0, STRING_BYTES), id };
  const kind = Array.isArray(value)
    ? 'array'
    : typeof value === 'object' && value !== null
      ? 'object'
      : String(value);
  return { kind, value: undefined, id };
}

function rowsOf(store: StateStore, ns: number, index: number): FieldRow[] {
  const prefix = Buffer.alloc(7);
  prefix.writeUInt8(FIELD_TABLE, 0);
  prefix.writeUInt32BE(ns, 1);
  prefix.writeUInt16BE(index, 5);
  const end = Buffer.from(prefix);
  end.writeUInt16BE(index + 1, 5);
  return [...store.scan({ gte: prefix, lt: end })].map(([key]) => readRow(Buffer.from(key).subarray(7)));
}

/** The kind of a value in one byte; of a number its bits in an order of their own; of a string its bytes to 00 01. */
function readRow(rest: Buffer): FieldRow {
  const kind = KINDS[(rest[0] as number) - 1] as string;
  if (kind === 'number') {
    const bits = Buffer.from(rest.subarray(1, 9));
    if ((bits[0] as number) & 0x80) bits[0] = (bits[0] as number) & 0x7f;
    else for (let at = 0; at < 8; at++) bits[at] = ~(bits[at] as number) & 0xff;
    return { kind, value: bits.readDoubleBE(), id: rest.subarray(9).toString() };
  }
  if (kind !== 'string') return { kind, value: undefined, id: rest.subarray(1).toString() };
  const value: number[] = [];
  let at = 1;
  for (; !(rest[at] === 0 && rest[at + 1] === 1); at++) {
    value.push(rest[at] as number);
    if (rest[at] === 0) at++;
  }
  return { kind, value: Buffer.from(value), id: rest.subarray(at + 2).toString() };
}
