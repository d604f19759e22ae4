import { ByteReader, ByteWriter } from '#codec';
import { type ChangeKind } from './format';

/** What stands among an object's versions: how one came about, and which operation of its position that was. */
export interface VersionEntry {
  readonly kind: (typeof ChangeKind)[keyof typeof ChangeKind];
  readonly operation: number;
}

export function encodeVersionEntry({ kind, operation }: VersionEntry): Uint8Array {
  const writer = new ByteWriter(3);
  writer.u8(kind);
  writer.u16(operation);
  return writer.finish();
}

export function decodeVersionEntry(row: Uint8Array): VersionEntry {
  const reader = new ByteReader(row);
  const entry = { kind: reader.u8() as VersionEntry['kind'], operation: reader.u16() };
  reader.expectEnd('a version row');
  return entry;
}
