import { ByteReader, ByteWriter, sizedLength, varintLength } from '#codec';
import type { CommitSeq } from '#contracts';
import { type ChangeKind, RowKind } from './format';

/** One change of one object; its position is in the key. */
export interface ChangeRow {
  readonly kind: (typeof ChangeKind)[keyof typeof ChangeKind];
  readonly tsMs: number;
  /** The namespace's change before this one; 0 if none. */
  readonly prevCommitSeq: CommitSeq;
  /** Position of the version of this object that the change ended; 0 if there was none. */
  readonly endedSeq: number;
  /** As bytes of UTF-8. */
  readonly id: Uint8Array;
  /** Type and tags of the last version; empty on a put, whose own version has them. */
  readonly labels: Uint8Array;
}

export function encodeChange(change: ChangeRow): Uint8Array {
  const { id, labels } = change;
  const writer = new ByteWriter(15 + varintLength(change.endedSeq) + sizedLength(id.length) + labels.length);
  writer.u8(change.kind);
  writer.u48(change.tsMs);
  writer.u64(change.prevCommitSeq);
  writer.varint(change.endedSeq);
  writer.sized(id);
  writer.raw(labels);
  return writer.finish();
}

export function decodeChange(row: Uint8Array): ChangeRow {
  const reader = new ByteReader(row);
  return {
    kind: reader.u8() as ChangeRow['kind'],
    tsMs: reader.u48(),
    prevCommitSeq: reader.u64() as CommitSeq,
    endedSeq: reader.varint(),
    id: reader.sized(),
    labels: reader.raw(reader.remaining),
  };
}

/** What stands among an object's versions where it was deleted. */
export function encodeTombstone(reason: 'delete' | 'expired', commitSeq: number, tsMs: number): Uint8Array {
  const writer = new ByteWriter(15);
  writer.u8(reason === 'expired' ? RowKind.expired : RowKind.deleted);
  writer.u64(commitSeq);
  writer.u48(tsMs);
  return writer.finish();
}

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

export const NO_LABELS = new Uint8Array(0);
