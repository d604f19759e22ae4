import { ByteReader, ByteWriter, decodeUtf8, prefixEnd, writeOrdered } from '#codec';
import { type ExpiryKind, Table } from './format';
import type { KeyRange } from './state-reader';

/** Bytes of table and namespace number, with which most keys begin. */
const PREFIX_BYTES = 5;
const SEQUENCE_BYTES = 8;
const OPERATION_BYTES = 2;

export const COUNTERS_KEY = Uint8Array.of(Table.counters);

export function namespaceKey(name: string): Uint8Array {
  const writer = new ByteWriter(1 + name.length);
  writer.u8(Table.namespaces);
  writer.text(name);
  return writer.finish();
}

export function namespaceNameKey(number: number): Uint8Array {
  return begin(Table.namespaceNames, number, 0).finish();
}

export function headKey(ns: number, source: Uint8Array, start: number, end: number): Uint8Array {
  const writer = begin(Table.heads, ns, end - start);
  writer.copy(source, start, end);
  return writer.finish();
}

/** Versions of one id follow each other, oldest first. */
export function versionKey(ns: number, id: Uint8Array, seq: number): Uint8Array {
  const writer = begin(Table.versions, ns, id.length + 2 + SEQUENCE_BYTES);
  writeOrdered(writer, id);
  writer.u64(seq);
  return writer.finish();
}

export function changeKey(ns: number, seq: number, operation: number): Uint8Array {
  const writer = begin(Table.changes, ns, SEQUENCE_BYTES + OPERATION_BYTES);
  writer.u64(seq);
  writer.u16(operation);
  return writer.finish();
}

/** Sequence and operation as they end a {@link changeKey}: bytes that order as they do. */
export function positionBytes(seq: number, operation: number): Uint8Array {
  return changeKey(0, seq, operation).subarray(PREFIX_BYTES);
}

/** The sequence and operation at the end of a {@link changeKey}. */
export function readPosition(key: Uint8Array): { readonly seq: number; readonly operation: number } {
  const reader = new ByteReader(key, PREFIX_BYTES);
  return { seq: reader.u64(), operation: reader.u16() };
}

export function commitKey(seq: number, ns: number): Uint8Array {
  const writer = new ByteWriter(1 + SEQUENCE_BYTES + 4);
  writer.u8(Table.commits);
  writer.u64(seq);
  writer.u32(ns);
  return writer.finish();
}

export function readCommitKey(key: Uint8Array): { readonly seq: number; readonly ns: number } {
  const reader = new ByteReader(key, 1);
  return { seq: reader.u64(), ns: reader.u32() };
}

export function typeKey(ns: number, type: Uint8Array, id: Uint8Array): Uint8Array {
  const writer = begin(Table.typeIndex, ns, type.length + 2 + id.length);
  writeOrdered(writer, type);
  writer.raw(id);
  return writer.finish();
}

export function tagKey(ns: number, key: Uint8Array, value: Uint8Array, id: Uint8Array): Uint8Array {
  const writer = begin(Table.tagIndex, ns, key.length + value.length + 4 + id.length);
  writeOrdered(writer, key);
  writeOrdered(writer, value);
  writer.raw(id);
  return writer.finish();
}

/** Which indexes of places in bodies a namespace has. */
export function fieldIndexesKey(ns: number): Uint8Array {
  return begin(Table.fieldIndexes, ns, 0).finish();
}

/** What stands before the values of one index. */
export function fieldPrefix(ns: number, index: number): Uint8Array {
  const writer = begin(Table.fieldIndex, ns, 2);
  writer.u16(index);
  return writer.finish();
}

/** Rows of one value follow each other in id order; `value` ends by itself. */
export function fieldKey(ns: number, index: number, value: Uint8Array, id: Uint8Array): Uint8Array {
  const writer = begin(Table.fieldIndex, ns, 2 + value.length + id.length);
  writer.u16(index);
  writer.raw(value);
  writer.raw(id);
  return writer.finish();
}

/** Rows of one millisecond go in the order of their kinds, then of their namespaces. */
export function expiryKey(expiresAtMs: number, kind: ExpiryKind, ns: number, id: Uint8Array): Uint8Array {
  const writer = new ByteWriter(12 + id.length);
  writer.u8(Table.expiryIndex);
  writer.u48(expiresAtMs);
  writer.u8(kind);
  writer.u32(ns);
  writer.raw(id);
  return writer.finish();
}

export interface ExpiryKey {
  readonly expiresAtMs: number;
  readonly kind: ExpiryKind;
  readonly ns: number;
  readonly id: Uint8Array;
}

export function readExpiryKey(key: Uint8Array): ExpiryKey {
  const reader = new ByteReader(key, 1);
  return {
    expiresAtMs: reader.u48(),
    kind: reader.u8() as ExpiryKind,
    ns: reader.u32(),
    id: reader.raw(reader.remaining),
  };
}

export function leaseKey(ns: number, key: Uint8Array): Uint8Array {
  return namedKey(Table.leases, ns, key);
}

export function keptAnswerKey(ns: number, key: Uint8Array): Uint8Array {
  return namedKey(Table.keptAnswers, ns, key);
}

/** Answers are numbered in the order in which they were kept. */
export function keptOrderKey(ns: number, number: number): Uint8Array {
  const writer = begin(Table.keptOrder, ns, SEQUENCE_BYTES);
  writer.u64(number);
  return writer.finish();
}

export function keptTotalsKey(ns: number): Uint8Array {
  return begin(Table.keptTotals, ns, 0).finish();
}

/** All keys of a table. */
export function tableRange(table: number): KeyRange {
  return prefixRange(Uint8Array.of(table));
}

/** Keys of a namespace in a table whose keys begin with its number; what stands before the ids or positions. */
export function namespacePrefix(table: number, ns: number): Uint8Array {
  return begin(table, ns, 0).finish();
}

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  return { gte: prefix, lt: prefixEnd(prefix) };
}

/** The first key after the one made of `prefix` and `last`. */
export function keyAfter(prefix: Uint8Array, last: Uint8Array): Uint8Array {
  const writer = new ByteWriter(prefix.length + last.length + 1);
  writer.raw(prefix);
  writer.raw(last);
  writer.u8(0);
  return writer.finish();
}

/** The id that ends a key whose other parts take `prefixBytes`. */
export function idOfKey(key: Uint8Array, prefixBytes: number): string {
  return decodeUtf8(key, prefixBytes);
}

/** Bounds of expiry rows from `fromMs` to `throughMs`, both inclusive. */
export function expiryRange(fromMs: number, throughMs: number): KeyRange {
  return { gte: expiryBound(fromMs), lt: expiryBound(throughMs + 1) };
}

function expiryBound(expiresAtMs: number): Uint8Array {
  const writer = new ByteWriter(7);
  writer.u8(Table.expiryIndex);
  writer.u48(expiresAtMs);
  return writer.finish();
}

function namedKey(table: number, ns: number, name: Uint8Array): Uint8Array {
  const writer = begin(table, ns, name.length);
  writer.raw(name);
  return writer.finish();
}

function begin(table: number, ns: number, more: number): ByteWriter {
  const writer = new ByteWriter(PREFIX_BYTES + more);
  writer.u8(table);
  writer.u32(ns);
  return writer;
}
