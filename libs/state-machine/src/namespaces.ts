import { ByteReader, ByteWriter, decodeUtf8 } from '#codec';
import type { CommitSeq } from '#contracts';
import { namespaceKey, namespaceNameKey } from './keys';
import type { StateReader } from './state-reader';

/** What a group keeps of one namespace. */
export interface NamespaceRow {
  /** Stands for the name in keys; given out once. */
  readonly number: number;
  /** Position of the last change in this namespace; 0 before the first. */
  readonly commitSeq: CommitSeq;
  /** Position of the last change that compaction forgot; 0 if none. */
  readonly compactedThrough: CommitSeq;
  /** Live objects, and the bytes of their JSON. */
  readonly objects: number;
  readonly bytes: number;
  /** Rows among the changes: the live objects' and those of the history that is held. */
  readonly changes: number;
}

export function readNamespace(reader: StateReader, name: string): NamespaceRow | undefined {
  const row = reader.get(namespaceKey(name));
  return row && decodeNamespace(row);
}

export function decodeNamespace(row: Uint8Array): NamespaceRow {
  const bytes = new ByteReader(row);
  const namespace: NamespaceRow = {
    number: bytes.u32(),
    commitSeq: bytes.u64() as CommitSeq,
    compactedThrough: bytes.u64() as CommitSeq,
    objects: bytes.u64(),
    bytes: bytes.u64(),
    changes: bytes.u64(),
  };
  bytes.expectEnd('a namespace row');
  return namespace;
}

export function readNamespaceName(reader: StateReader, number: number): string {
  const row = reader.get(namespaceNameKey(number));
  if (!row) throw new Error(`namespace ${number} has no name`);
  return decodeUtf8(row);
}

export function encodeNamespace(row: NamespaceRow): Uint8Array {
  const writer = new ByteWriter(4 + 5 * 8);
  writer.u32(row.number);
  writer.u64(row.commitSeq);
  writer.u64(row.compactedThrough);
  writer.u64(row.objects);
  writer.u64(row.bytes);
  writer.u64(row.changes);
  return writer.finish();
}
