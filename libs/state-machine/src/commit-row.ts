import { ByteReader, ByteWriter, varintLength } from '#codec';

/** One row for each command and namespace that it changed: what compaction and restore-to-time go by. */
export interface CommitRow {
  readonly tsMs: number;
  readonly changes: number;
}

export function encodeCommit(commit: CommitRow): Uint8Array {
  const writer = new ByteWriter(6 + varintLength(commit.changes));
  writer.u48(commit.tsMs);
  writer.varint(commit.changes);
  return writer.finish();
}

export function decodeCommit(row: Uint8Array): CommitRow {
  const reader = new ByteReader(row);
  return { tsMs: reader.u48(), changes: reader.varint() };
}
