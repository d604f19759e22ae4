import { ByteReader, ByteWriter } from '#codec';
import type { RowPlace } from '#contracts';
import { NAMESPACE_TABLES, NO_VALUE, Table } from './format';
import { readNamespace } from './namespaces';
import { keyString } from './overlay';
import {
  COMMIT_SEQ_BYTES,
  EXPIRY_BYTES,
  PREFIX_BYTES,
  decodeRows,
  keyOfRow,
  leavingRow,
  namespaceRow,
  writeRow,
} from './portable-rows';
import type { StateReader, WriteSet } from './state-reader';

const TABLES: ReadonlySet<number> = new Set(NAMESPACE_TABLES);

/**
 * Which rows of a namespace were written since a moment. Together with a copy of all rows, each read at or after that
 * moment, they tell what has changed under the copy: a row that is not among them is still as it was read.
 */
export class TouchedRows {
  private touched = new Map<string, RowPlace>();

  /** `number` is the namespace's in its group. */
  constructor(private readonly number: number) {}

  get size(): number {
    return this.touched.size;
  }

  /** To be called with everything that is written to the state, in order. */
  wrote({ puts, deletes }: WriteSet): void {
    for (const [key] of puts) this.touch(key);
    for (const key of deletes) this.touch(key);
  }

  /** Gives what was touched, and begins anew. */
  take(): readonly RowPlace[] {
    const places = [...this.touched.values()];
    this.touched = new Map();
    return places;
  }

  private touch(key: Uint8Array): void {
    const place = placeOfKey(key, this.number);
    if (place !== undefined) this.touched.set(keyString(key), place);
  }
}

/** Rows of these places as they are now, or that there are none, from `from` on; `next` is 0 after the last page. */
export function exportPlaces(
  reader: StateReader,
  ns: string,
  places: readonly RowPlace[],
  { from, maxBytes }: { readonly from: number; readonly maxBytes: number },
): { readonly rows: Uint8Array; readonly next: number } {
  const namespace = readNamespace(reader, ns);
  if (namespace === undefined) throw new Error('a namespace whose rows were touched is gone');
  const writer = new ByteWriter(maxBytes + 65_536);
  for (let at = from; at < places.length; at++) {
    const place = places[at] as RowPlace;
    writeRow(writer, { ...place, value: reader.get(keyOfRow(place, namespace.number)) });
    if (writer.length >= maxBytes) return { rows: writer.finish(), next: at + 1 };
  }
  writeRow(writer, leavingRow(reader, namespace));
  return { rows: writer.finish(), next: 0 };
}

/** What a state has where these portable rows were put: the same bytes, if it has taken them. */
export function readBack(reader: StateReader, ns: string, rows: Uint8Array): Uint8Array {
  const namespace = readNamespace(reader, ns);
  if (namespace === undefined) return NO_VALUE;
  const writer = new ByteWriter(rows.length + 64);
  for (const row of decodeRows(rows)) {
    const isNamespace = row.table === Table.namespaces;
    const stored = isNamespace
      ? namespaceRow(namespace)
      : { ...row, value: reader.get(keyOfRow(row, namespace.number)) };
    writeRow(writer, stored);
  }
  return writer.finish();
}

/** The place of a key, if it is one of a namespace's own rows; the namespace's row itself is not among them. */
function placeOfKey(key: Uint8Array, number: number): RowPlace | undefined {
  const table = key[0] as number;
  const numberAt = (start: number): boolean =>
    key.length >= start + 4 && new ByteReader(key, start).u32() === number;
  if (TABLES.has(table)) return numberAt(1) ? { table, rest: key.slice(PREFIX_BYTES) } : undefined;
  const before = table === Table.commits ? COMMIT_SEQ_BYTES : table === Table.expiryIndex ? EXPIRY_BYTES : 0;
  if (before === 0 || !numberAt(1 + before)) return undefined;
  const writer = new ByteWriter(key.length - PREFIX_BYTES);
  writer.raw(key.subarray(1, 1 + before));
  writer.raw(key.subarray(1 + before + 4));
  return { table, rest: writer.finish() };
}
