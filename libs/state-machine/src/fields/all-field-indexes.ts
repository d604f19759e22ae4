import { ByteReader } from '#codec';
import { Table } from '../format';
import { tableRange } from '../keys';
import { readNamespaceName } from '../namespaces';
import type { StateReader } from '../state-reader';
import { decodeFieldIndexes, type FieldIndex } from './field-indexes';

/** The indexes of all namespaces of a group that have any, also those that are being built or taken away. */
export function allFieldIndexes(reader: StateReader): ReadonlyMap<string, readonly FieldIndex[]> {
  const found = new Map<string, readonly FieldIndex[]>();
  for (const [key, row] of reader.scan(tableRange(Table.fieldIndexes))) {
    found.set(readNamespaceName(reader, new ByteReader(key, 1).u32()), decodeFieldIndexes(row));
  }
  return found;
}
