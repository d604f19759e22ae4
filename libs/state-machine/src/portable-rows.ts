import { ByteReader, ByteWriter } from '#codec';
import type { CommitSeq, RowPlace } from '#contracts';
import { readApplied } from './counters';
import { NAMESPACE_TABLES, NO_VALUE, Table } from './format';
import { EXPIRING_TABLES, expiryKeyOf } from './expiring-rows';
import { commitKey, keyAfter, namespacePrefix, positionBytes, prefixRange } from './keys';
import { type NamespaceRow, encodeNamespace, readNamespace } from './namespaces';
import type { StateReader } from './state-reader';

/** A row of a namespace without the number that its namespace has in one group; FORMAT.md, "Portable rows". */
export interface PortableRow extends RowPlace {
  /** `undefined`: there is no such row. */
  readonly value: Uint8Array | undefined;
}

export interface PortablePage {
  /** Encoded rows; nothing for a namespace that is not there. */
  readonly rows: Uint8Array;
  /** Where the export goes on: after this row. */
  readonly next: RowPlace | undefined;
}

/** How many bytes of a key come before what is the row's own: its table and the namespace's number. */
export const PREFIX_BYTES = 5;
export const COMMIT_SEQ_BYTES = 8;
/** Time and kind of an expiry row, which come before the namespace's number. */
export const EXPIRY_BYTES = 7;
/** Added to the table of a row that is not there. */
const NO_ROW = 0x80;
const NO_NUMBER = 0;
const LAST_OPERATION = 0xffff;

/** Rows that a page passes over at most, so that looking for the next one never takes long. */
const MOST_PASSED = 4_096;

/**
 * Rows of a namespace in one order, from after `after` on, about as many as fit `maxBytes`; a page may have none when
 * many were looked at in vain. The namespace's own row is the last. Equal states give equal pages, whatever number the
 * namespace has in its group.
 */
export function exportRows(
  reader: StateReader,
  ns: string,
  after: RowPlace | undefined,
  maxBytes: number,
): PortablePage {
  const namespace = readNamespace(reader, ns);
  if (namespace === undefined) return { rows: NO_VALUE, next: undefined };
  const writer = new ByteWriter(maxBytes + 65_536);
  let passed = 0;
  for (const row of rowsAfter(reader, namespace, after)) {
    if (row.value === undefined) passed += 1;
    else writeRow(writer, row);
    if ((writer.length < maxBytes && passed < MOST_PASSED) || row.table === Table.namespaces) continue;
    return { rows: writer.finish(), next: { table: row.table, rest: row.rest } };
  }
  return { rows: writer.finish(), next: undefined };
}

export function* decodeRows(rows: Uint8Array): Generator<PortableRow> {
  const reader = new ByteReader(rows);
  while (reader.remaining > 0) {
    const table = reader.u8();
    const rest = reader.sized();
    const value = (table & NO_ROW) === 0 ? reader.sized() : undefined;
    yield { table: table & ~NO_ROW, rest, value };
  }
}

export function writeRow(writer: ByteWriter, { table, rest, value }: PortableRow): void {
  writer.u8(value === undefined ? table | NO_ROW : table);
  writer.sized(rest);
  if (value !== undefined) writer.sized(value);
}

/** The namespace's own row as it leaves a group: what the group as a whole has forgotten shows in it. */
export function leavingRow(reader: StateReader, namespace: NamespaceRow): PortableRow {
  const { historyFloor } = readApplied(reader);
  const compactedThrough = Math.max(namespace.compactedThrough, historyFloor - 1) as CommitSeq;
  return namespaceRow({ ...namespace, compactedThrough });
}

export function namespaceRow(namespace: NamespaceRow): PortableRow {
  return {
    table: Table.namespaces,
    rest: NO_VALUE,
    value: encodeNamespace({ ...namespace, number: NO_NUMBER }),
  };
}

/** The key of a portable row for a namespace of this number. */
export function keyOfRow({ table, rest }: RowPlace, number: number): Uint8Array {
  // Where the number does not come first, it stands after what the rows are ordered by.
  const before = table === Table.commits ? COMMIT_SEQ_BYTES : table === Table.expiryIndex ? EXPIRY_BYTES : 0;
  const writer = new ByteWriter(PREFIX_BYTES + rest.length);
  writer.u8(table);
  writer.raw(rest.subarray(0, before));
  writer.u32(number);
  writer.raw(rest.subarray(before));
  return writer.finish();
}

/** Those without a value are none: places that were looked at, where a page may end. */
function* rowsAfter(
  reader: StateReader,
  namespace: NamespaceRow,
  after: RowPlace | undefined,
): Generator<PortableRow> {
  const { number } = namespace;
  const tables: readonly number[] = [...NAMESPACE_TABLES, Table.commits, Table.expiryIndex];
  const first = after === undefined ? 0 : tables.indexOf(after.table);
  if (first < 0) throw new Error(`an export cannot go on in the table ${after?.table}`);
  for (const table of tables.slice(first)) {
    const from = table === after?.table ? after.rest : undefined;
    if (table === Table.commits) yield* commitRows(reader, number, from);
    else if (table === Table.expiryIndex) yield* expiryRows(reader, number, from);
    else yield* tableRows(reader, { table, number, after: from });
  }
  yield leavingRow(reader, namespace);
}

function* tableRows(
  reader: StateReader,
  { table, number, after }: { readonly table: number; readonly number: number; readonly after?: Uint8Array },
): Generator<PortableRow & { readonly value: Uint8Array }> {
  const prefix = namespacePrefix(table, number);
  const range = prefixRange(prefix);
  const gte = after === undefined ? range.gte : keyAfter(prefix, after);
  for (const [key, value] of reader.scan({ gte, lt: range.lt })) {
    yield { table, rest: key.subarray(PREFIX_BYTES), value };
  }
}

/** Positions that the history still shows have one; changes of one position follow each other. */
function* commitRows(reader: StateReader, number: number, after?: Uint8Array): Generator<PortableRow> {
  let last = after === undefined ? 0 : new ByteReader(after).u64();
  // Not from the start again for each page: after all changes of the last position.
  const from = after === undefined ? undefined : positionBytes(last, LAST_OPERATION);
  for (const { rest } of tableRows(reader, { table: Table.changes, number, after: from })) {
    const seq = new ByteReader(rest).u64();
    if (seq <= last) continue;
    last = seq;
    const value = reader.get(commitKey(seq, number));
    if (value !== undefined) yield { table: Table.commits, rest: rest.subarray(0, COMMIT_SEQ_BYTES), value };
  }
}

/** By what they speak of, and then in the order of those rows. */
function* expiryRows(reader: StateReader, number: number, after?: Uint8Array): Generator<PortableRow> {
  const reached = after === undefined ? 0 : (after[EXPIRY_BYTES - 1] ?? 0);
  for (const { table, kind } of EXPIRING_TABLES) {
    if (kind < reached) continue;
    const from = kind === reached ? after?.subarray(EXPIRY_BYTES) : undefined;
    for (const row of tableRows(reader, { table, number, after: from })) {
      const key = expiryKeyOf(table, number, row);
      // What does not end by itself has a place among those that do, with no time.
      const begin = key?.subarray(1, 1 + EXPIRY_BYTES) ?? Uint8Array.of(0, 0, 0, 0, 0, 0, kind);
      const writer = new ByteWriter(EXPIRY_BYTES + row.rest.length);
      writer.raw(begin);
      writer.raw(row.rest);
      const value = key === undefined ? undefined : NO_VALUE;
      yield { table: Table.expiryIndex, rest: writer.finish(), value };
    }
  }
}
