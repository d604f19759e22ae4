import { ByteReader, ByteWriter } from '#codec';
import { groupId, type CommitSeq, type GroupId } from '#contracts';
import type { PortablePage, PortablePlace } from '#state-machine';

/** Asks a replica of the group that a namespace leaves for its rows, from after a place on. */
export interface RowRequest {
  readonly group: GroupId;
  readonly ns: string;
  /** The one that the namespace gets where it goes: only a replica that has applied its freeze for it answers. */
  readonly generation: number;
  readonly after: PortablePlace | undefined;
}

/** The rows, and the newest position of the group that they come from. */
export interface RowAnswer extends PortablePage {
  readonly commitSeq: CommitSeq;
}

const FROM_START = 0;
const FROM_PLACE = 1;

export function encodeRowRequest({ group, ns, generation, after }: RowRequest): Uint8Array {
  const writer = new ByteWriter(64 + ns.length + (after?.rest.length ?? 0));
  writer.u32(group);
  writer.u64(generation);
  writer.string(ns);
  writePlace(writer, after);
  return writer.finish();
}

export function decodeRowRequest(body: Uint8Array): RowRequest {
  const reader = new ByteReader(body);
  const group = groupId(reader.u32());
  const generation = reader.u64();
  const ns = reader.string();
  const after = readPlace(reader);
  reader.expectEnd('a request for rows');
  return { group, generation, ns, after };
}

export function encodeRowAnswer({ commitSeq, next, rows }: RowAnswer): Uint8Array {
  const writer = new ByteWriter(64 + (next?.rest.length ?? 0) + rows.length);
  writer.u64(commitSeq);
  writePlace(writer, next);
  writer.raw(rows);
  return writer.finish();
}

export function decodeRowAnswer(body: Uint8Array): RowAnswer {
  const reader = new ByteReader(body);
  const commitSeq = reader.u64() as CommitSeq;
  const next = readPlace(reader);
  return { commitSeq, next, rows: reader.raw(reader.remaining) };
}

function writePlace(writer: ByteWriter, place: PortablePlace | undefined): void {
  writer.u8(place === undefined ? FROM_START : FROM_PLACE);
  if (place === undefined) return;
  writer.u8(place.table);
  writer.sized(place.rest);
}

function readPlace(reader: ByteReader): PortablePlace | undefined {
  if (reader.u8() === FROM_START) return undefined;
  return { table: reader.u8(), rest: reader.sized() };
}
