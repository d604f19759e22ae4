import { ByteReader, ByteWriter } from '#codec';
import type { CommitSeq } from '#contracts';
import { ChangeKind } from './format';

/** Bytes of the fixed part of every change row, and of a put's; FORMAT.md, "Change rows". */
const FIXED_BYTES = 31;
const PUT_FIXED_BYTES = 53;

/**
 * One change of one object, read where it lies: nothing is decoded before it is asked for. A put's row holds the
 * version of the object that it made, and stays for as long as that version is live or can be asked for.
 */
export class ChangeRow {
  readonly kind: (typeof ChangeKind)[keyof typeof ChangeKind];
  readonly tsMs: number;
  /** The namespace's change before this one; 0 if none. */
  readonly prevCommitSeq: CommitSeq;
  /** Position and operation of the version of this object that the change ended; 0 if there was none. */
  readonly endedSeq: CommitSeq;
  readonly endedOperation: number;
  private readonly idStart: number;
  private readonly labelStart: number;
  private readonly jsonStart: number;

  /** `row` is kept by reference. */
  constructor(readonly row: Uint8Array) {
    const reader = new ByteReader(row);
    this.kind = reader.u8() as ChangeRow['kind'];
    this.tsMs = reader.u48();
    this.prevCommitSeq = reader.u64() as CommitSeq;
    this.endedSeq = reader.u64() as CommitSeq;
    this.endedOperation = reader.u16();
    const idBytes = reader.u16();
    const labelBytes = reader.u32();
    this.idStart = this.isPut ? PUT_FIXED_BYTES : FIXED_BYTES;
    this.labelStart = this.idStart + idBytes;
    this.jsonStart = this.labelStart + labelBytes;
  }

  get isPut(): boolean {
    return this.kind === ChangeKind.put;
  }

  /** As bytes of UTF-8. */
  get id(): Uint8Array {
    return this.row.subarray(this.idStart, this.labelStart);
  }

  /** Type and tags of the version that the change made or, for a deletion, ended. */
  get labels(): Uint8Array {
    return this.row.subarray(this.labelStart, this.jsonStart);
  }

  /** The object as a GET answers it: a view of the row. Puts only, like all below. */
  get json(): Uint8Array {
    return this.row.subarray(this.jsonStart);
  }

  get jsonBytes(): number {
    return this.row.length - this.jsonStart;
  }

  get createdSeq(): CommitSeq {
    return new ByteReader(this.row, FIXED_BYTES).u64() as CommitSeq;
  }

  /** 0: never. */
  get expiresAtMs(): number {
    return new ByteReader(this.row, FIXED_BYTES + 8).u48();
  }

  /** Where the body's JSON text lies in {@link json}. */
  get body(): { readonly start: number; readonly end: number } {
    const reader = new ByteReader(this.row, FIXED_BYTES + 14);
    const start = reader.u32();
    return { start, end: start + reader.u32() };
  }
}

export interface ChangeFields {
  readonly kind: ChangeRow['kind'];
  readonly tsMs: number;
  readonly prevCommitSeq: number;
  readonly endedSeq: number;
  readonly endedOperation: number;
  readonly idBytes: number;
  readonly labelBytes: number;
}

export interface PutFields extends Omit<ChangeFields, 'kind'> {
  readonly createdSeq: number;
  readonly expiresAtMs: number;
  readonly bodyBytes: number;
}

/** Where the body's offset in the JSON stands: it is known only once the JSON before the body is written. */
export const BODY_OFFSET_AT = FIXED_BYTES + 14;

/** Writes the fixed part of a put; id, labels and JSON follow it. The body's offset is left 0, see {@link BODY_OFFSET_AT}. */
export function writePutFields(writer: ByteWriter, fields: PutFields): void {
  writeFields(writer, ChangeKind.put, fields);
  writer.u64(fields.createdSeq);
  writer.u48(fields.expiresAtMs);
  writer.u32(0);
  writer.u32(fields.bodyBytes);
}

export function encodeDeletion(fields: ChangeFields, id: Uint8Array, labels: Uint8Array): Uint8Array {
  const writer = new ByteWriter(FIXED_BYTES + id.length + labels.length);
  writeFields(writer, fields.kind, fields);
  writer.raw(id);
  writer.raw(labels);
  return writer.finish();
}

function writeFields(writer: ByteWriter, kind: ChangeRow['kind'], fields: Omit<ChangeFields, 'kind'>): void {
  writer.u8(kind);
  writer.u48(fields.tsMs);
  writer.u64(fields.prevCommitSeq);
  writer.u64(fields.endedSeq);
  writer.u16(fields.endedOperation);
  writer.u16(fields.idBytes);
  writer.u32(fields.labelBytes);
}
