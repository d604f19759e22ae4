import { ByteReader, ByteWriter, CodecError } from '#codec';
import { groupId, type CommitSeq, type GroupId, type RowPlace } from '#contracts';
import type { PortablePage } from '#state-machine';

/**
 * Which rows are asked for:
 *
 * - `frozen`: all of them, of a namespace that is frozen;
 * - `ahead`: all of them while the namespace is written; from the first request on the replica notes what is;
 * - `touched`: those that were written since `ahead`, or the round before, began;
 * - `last`: the same once the namespace is frozen, so that nothing comes after them.
 */
export const ROW_STAGES = ['frozen', 'ahead', 'touched', 'last'] as const;
export type RowStage = (typeof ROW_STAGES)[number];

/** Asks a replica of the group that a namespace leaves for its rows. */
export interface RowRequest {
  readonly group: GroupId;
  readonly ns: string;
  /** The one that the namespace gets where it goes. */
  readonly generation: number;
  readonly stage: RowStage;
  /** Names the copy that `ahead` begins. */
  readonly attempt: number;
  /** Of touched rows, counted from 1; a new one begins with what was touched until then. */
  readonly round: number;
  /** How many rows of the round were given already. */
  readonly given: number;
  /** Rows that are not of a round go on after this place. */
  readonly after: RowPlace | undefined;
}

/** The rows, and the newest position of the group that they come from. */
export interface RowAnswer extends PortablePage {
  readonly commitSeq: CommitSeq;
  /** Rows that were touched meanwhile, for the next round. */
  readonly waiting: number;
  /** Rows of the round that were given with this; 0: it was all. */
  readonly given: number;
}

const FROM_START = 0;
const FROM_PLACE = 1;

export function encodeRowRequest(request: RowRequest): Uint8Array {
  const { group, ns, generation, stage, attempt, round, given, after } = request;
  const writer = new ByteWriter(96 + ns.length + (after?.rest.length ?? 0));
  writer.u32(group);
  writer.u64(generation);
  writer.string(ns);
  writer.u8(ROW_STAGES.indexOf(stage));
  writer.u64(attempt);
  writer.u32(round);
  writer.u32(given);
  writePlace(writer, after);
  return writer.finish();
}

export function decodeRowRequest(body: Uint8Array): RowRequest {
  const reader = new ByteReader(body);
  const group = groupId(reader.u32());
  const generation = reader.u64();
  const ns = reader.string();
  const stage = ROW_STAGES[reader.u8()];
  if (stage === undefined) throw new CodecError('a request for rows of an unknown stage');
  const attempt = reader.u64();
  const round = reader.u32();
  const given = reader.u32();
  const after = readPlace(reader);
  reader.expectEnd('a request for rows');
  return { group, generation, ns, stage, attempt, round, given, after };
}

export function encodeRowAnswer({ commitSeq, waiting, given, next, rows }: RowAnswer): Uint8Array {
  const writer = new ByteWriter(64 + (next?.rest.length ?? 0) + rows.length);
  writer.u64(commitSeq);
  writer.u32(waiting);
  writer.u32(given);
  writePlace(writer, next);
  writer.raw(rows);
  return writer.finish();
}

export function decodeRowAnswer(body: Uint8Array): RowAnswer {
  const reader = new ByteReader(body);
  const commitSeq = reader.u64() as CommitSeq;
  const waiting = reader.u32();
  const given = reader.u32();
  const next = readPlace(reader);
  return { commitSeq, waiting, given, next, rows: reader.raw(reader.remaining) };
}

function writePlace(writer: ByteWriter, place: RowPlace | undefined): void {
  writer.u8(place === undefined ? FROM_START : FROM_PLACE);
  if (place === undefined) return;
  writer.u8(place.table);
  writer.sized(place.rest);
}

function readPlace(reader: ByteReader): RowPlace | undefined {
  if (reader.u8() === FROM_START) return undefined;
  return { table: reader.u8(), rest: reader.sized() };
}
