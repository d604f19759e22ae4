import { ByteReader, ByteWriter } from '#codec';
import { fieldIndexesKey } from '../keys';
import { type SingularPath, parseSingularPath } from '../query/singular-path';
import type { StateReader } from '../state-reader';

/** Being built, used for queries, or being taken away. */
export type FieldIndexState = 'building' | 'ready' | 'dropping';

/** An index of one place in the bodies of a namespace's objects. */
export interface FieldIndex {
  /** Stands for the path in keys, within the namespace; free again once the last row is gone. */
  readonly number: number;
  readonly state: FieldIndexState;
  /** As it was given, and the steps that it stands for. */
  readonly text: string;
  readonly path: SingularPath;
  /** While it is built: rows of all objects up to this id are there; empty before the first. */
  readonly through: Uint8Array;
}

const STATES: readonly FieldIndexState[] = ['building', 'ready', 'dropping'];
const NO_ID = new Uint8Array(0);
export const NO_FIELD_INDEXES: readonly FieldIndex[] = [];

export function readFieldIndexes(reader: Pick<StateReader, 'get'>, ns: number): readonly FieldIndex[] {
  const row = reader.get(fieldIndexesKey(ns));
  return row === undefined ? NO_FIELD_INDEXES : decodeFieldIndexes(row);
}

export function decodeFieldIndexes(row: Uint8Array): readonly FieldIndex[] {
  const reader = new ByteReader(row);
  const indexes: FieldIndex[] = [];
  for (let count = reader.varint(); count > 0; count--) {
    const number = reader.u16();
    const state = STATES[reader.u8()];
    const text = reader.string();
    const parsed = parseSingularPath(text);
    if (state === undefined || parsed.kind === 'malformed')
      throw new Error(`the index of ${JSON.stringify(text)} is not as it must be`);
    indexes.push({ number, state, text, path: parsed.path, through: reader.sized() });
  }
  reader.expectEnd('a row of field indexes');
  return indexes;
}

export function encodeFieldIndexes(indexes: readonly FieldIndex[]): Uint8Array {
  const writer = new ByteWriter(64);
  writer.varint(indexes.length);
  for (const { number, state, text, through } of indexes) {
    writer.u16(number);
    writer.u8(STATES.indexOf(state));
    writer.string(text);
    writer.sized(through);
  }
  return writer.finish();
}

/** A new index: complete at once where there is nothing to go through. */
export function newFieldIndex(
  known: readonly FieldIndex[],
  { text, path }: Pick<FieldIndex, 'text' | 'path'>,
  isEmpty: boolean,
): FieldIndex {
  const taken = new Set(known.map(({ number }) => number));
  let number = 1;
  while (taken.has(number)) number++;
  return { number, state: isEmpty ? 'ready' : 'building', text, path, through: NO_ID };
}

/** Whether two paths lead to the same place, however they are written. */
export function isSamePath(left: SingularPath, right: SingularPath): boolean {
  return left.length === right.length && left.every((step, at) => step === right[at]);
}
