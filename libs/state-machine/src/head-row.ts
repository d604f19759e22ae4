import { ByteReader, type ByteWriter, readTags } from '#codec';
import type { CommitSeq, Tags } from '#contracts';
import { RowKind } from './format';

/** Bytes of the fixed part of an object row; FORMAT.md, "Object rows". */
const FIXED_BYTES = 43;

/** An object row (head or version), read where it lies: nothing is decoded before it is asked for. */
export class HeadRow {
  readonly commitSeq: CommitSeq;
  /** Position at which the object came to be; stays over replacements. */
  readonly createdSeq: CommitSeq;
  readonly tsMs: number;
  /** 0: never. */
  readonly expiresAtMs: number;
  /** Place of the operation in its command. */
  readonly operation: number;
  private readonly jsonStart: number;
  private readonly bodyStart: number;
  private readonly bodyBytes: number;

  /** `row` is kept by reference. */
  constructor(readonly row: Uint8Array) {
    if (row[0] !== RowKind.object) throw new Error(`row of kind ${row[0]} is not an object`);
    const reader = new ByteReader(row, 1);
    this.commitSeq = reader.u64() as CommitSeq;
    this.createdSeq = reader.u64() as CommitSeq;
    this.tsMs = reader.u48();
    this.expiresAtMs = reader.u48();
    this.operation = reader.u16();
    this.jsonStart = FIXED_BYTES + reader.u32();
    this.bodyStart = this.jsonStart + reader.u32();
    this.bodyBytes = reader.u32();
  }

  /** The object as a GET answers it: a view of the row. */
  get json(): Uint8Array {
    return this.row.subarray(this.jsonStart);
  }

  /** Where the body's JSON text lies in {@link json}. */
  get body(): { readonly start: number; readonly end: number } {
    const start = this.bodyStart - this.jsonStart;
    return { start, end: start + this.bodyBytes };
  }

  get jsonBytes(): number {
    return this.row.length - this.jsonStart;
  }

  /** Type and tags as stored, for comparing and for index rows. */
  get labels(): Uint8Array {
    return this.row.subarray(FIXED_BYTES, this.jsonStart);
  }

  isLive(nowMs: number): boolean {
    return this.expiresAtMs === 0 || this.expiresAtMs > nowMs;
  }
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

export interface HeadFields {
  readonly commitSeq: number;
  readonly createdSeq: number;
  readonly tsMs: number;
  readonly expiresAtMs: number;
  readonly operation: number;
  readonly labelBytes: number;
  readonly bodyBytes: number;
}

/** Where the body's offset in the JSON stands: it is known only once the JSON before the body is written. */
export const BODY_OFFSET_AT = 35;

/** Writes the fixed part; labels and JSON follow it. The body's offset is left 0, see {@link BODY_OFFSET_AT}. */
export function writeHeadFields(writer: ByteWriter, fields: HeadFields): void {
  writer.u8(RowKind.object);
  writer.u64(fields.commitSeq);
  writer.u64(fields.createdSeq);
  writer.u48(fields.tsMs);
  writer.u48(fields.expiresAtMs);
  writer.u16(fields.operation);
  writer.u32(fields.labelBytes);
  writer.u32(0);
  writer.u32(fields.bodyBytes);
}
