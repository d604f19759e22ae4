import { ByteReader, ByteWriter, readTags } from '#codec';
import type { CommitSeq, Tags } from '#contracts';

/** Bytes of the fixed part of a head row; FORMAT.md, "Head rows". */
const FIXED_BYTES = 28;

/**
 * What stands under the id of a live object: where its newest version lies among the changes, and what writes and
 * filters ask for. It is small, so that the heads of many objects fit into memory.
 */
export class HeadRow {
  /** Position and operation of the newest version: where its row lies. */
  readonly commitSeq: CommitSeq;
  readonly operation: number;
  /** Position at which the object came to be; stays over replacements. */
  readonly createdSeq: CommitSeq;
  /** 0: never. */
  readonly expiresAtMs: number;
  /** Bytes of the object's JSON. */
  readonly jsonBytes: number;

  /** `row` is kept by reference. */
  constructor(readonly row: Uint8Array) {
    const reader = new ByteReader(row);
    this.commitSeq = reader.u64() as CommitSeq;
    this.operation = reader.u16();
    this.createdSeq = reader.u64() as CommitSeq;
    this.expiresAtMs = reader.u48();
    this.jsonBytes = reader.u32();
  }

  /** Type and tags as stored, for comparing and for index rows. */
  get labels(): Uint8Array {
    return this.row.subarray(FIXED_BYTES);
  }

  isLive(nowMs: number): boolean {
    return this.expiresAtMs === 0 || this.expiresAtMs > nowMs;
  }
}

/** Fields of a head row beside its labels. */
export type HeadFields = Pick<
  HeadRow,
  'commitSeq' | 'operation' | 'createdSeq' | 'expiresAtMs' | 'jsonBytes'
>;

export function encodeHead(fields: HeadFields, labels: Uint8Array): Uint8Array {
  const writer = new ByteWriter(FIXED_BYTES + labels.length);
  writer.u64(fields.commitSeq);
  writer.u16(fields.operation);
  writer.u64(fields.createdSeq);
  writer.u48(fields.expiresAtMs);
  writer.u32(fields.jsonBytes);
  writer.raw(labels);
  return writer.finish();
}

/** Type and tags of an object, decoded. */
export function readLabels(labels: Uint8Array): { readonly type: string; readonly tags: Tags } {
  const reader = new ByteReader(labels);
  return { type: reader.string(), tags: readTags(reader) };
}

/** Type and tags of an object as bytes of UTF-8, for index keys. */
export interface LabelBytes {
  readonly type: Uint8Array;
  readonly tags: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
}

export function readLabelBytes(labels: Uint8Array): LabelBytes {
  const reader = new ByteReader(labels);
  const type = reader.sized();
  const tags: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let count = reader.varint(); count > 0; count--) tags.push([reader.sized(), reader.sized()]);
  return { type, tags };
}
