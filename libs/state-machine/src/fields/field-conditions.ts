import { compareBytes, prefixEnd } from '#codec';
import type { WhereCondition } from '#contracts';
import { fieldKey, fieldPrefix } from '../keys';
import type { KeyRange } from '../state-reader';
import { type FieldIndex, isSamePath } from './field-indexes';
import { fieldValue, kindBytes } from './field-value';

/** The rows of an index in which everything is that meets some of a query's conditions. */
export interface FieldSource {
  readonly index: FieldIndex;
  /**
   * Keys up to the ids: one for each value that is asked for, in id order each. Or the range that values asked for
   * lie in, whose rows are in the order of the values.
   */
  readonly rows:
    | { readonly kind: 'values'; readonly prefixes: readonly Uint8Array[] }
    | { readonly kind: 'span'; readonly range: KeyRange };
  /** Conditions that hold for the object of every one of these rows, so that it need not be read to tell. */
  readonly decided: ReadonlySet<WhereCondition>;
}

const NO_ID = new Uint8Array(0);

/** What each complete index can do for a query. Nothing for `ne` and `exists: false`: the rows of others say nothing. */
export function fieldSources(
  ns: number,
  indexes: readonly FieldIndex[],
  where: readonly WhereCondition[],
): FieldSource[] {
  const sources: FieldSource[] = [];
  for (const index of indexes) {
    if (index.state !== 'ready') continue;
    const about = where.filter(({ path }) => isSamePath(path, index.path));
    const source = valuesOf(ns, index, about) ?? spanOf(ns, index, about);
    if (source) sources.push(source);
  }
  return sources;
}

/** Conditions on places of which an index is being built. */
export function buildingPaths(indexes: readonly FieldIndex[], where: readonly WhereCondition[]): string[] {
  const building = indexes.filter(({ state }) => state === 'building');
  const texts = where.filter(({ path }) => building.some((index) => isSamePath(path, index.path)));
  return [...new Set(texts.map(({ text }) => text))];
}

function valuesOf(ns: number, index: FieldIndex, about: readonly WhereCondition[]): FieldSource | undefined {
  // `eq` names the fewest values; of several conditions one is enough, the others are compared.
  const condition =
    about.find(({ operator }) => operator === 'eq') ?? about.find(({ operator }) => operator === 'in');
  if (condition === undefined) return undefined;
  const { operator, value } = condition;
  const values = (operator === 'eq' ? [value] : (value as readonly unknown[])).map(fieldValue);
  const prefixes: Uint8Array[] = [];
  for (const { bytes } of values) {
    const prefix = fieldKey(ns, index.number, bytes, NO_ID);
    // 1 and 1.0, or long strings that begin alike: their rows are the same.
    if (!prefixes.some((known) => compareBytes(known, prefix) === 0)) prefixes.push(prefix);
  }
  const isExact = values.every((one) => one.isExact);
  return { index, rows: { kind: 'values', prefixes }, decided: new Set(isExact ? [condition] : []) };
}

function spanOf(ns: number, index: FieldIndex, about: readonly WhereCondition[]): FieldSource | undefined {
  const whole = fieldPrefix(ns, index.number);
  let gte = whole;
  let lt = prefixEnd(whole);
  const decided = new Set<WhereCondition>();
  let isBounded = false;
  for (const condition of about) {
    const { operator, value } = condition;
    if (operator === 'exists' && value === true) {
      isBounded = true;
      decided.add(condition);
      continue;
    }
    if (operator !== 'gt' && operator !== 'gte' && operator !== 'lt' && operator !== 'lte') continue;
    isBounded = true;
    const bound = value as number | string;
    const { bytes, isExact } = fieldValue(bound);
    const at = fieldKey(ns, index.number, bytes, NO_ID);
    // Order is among values of one kind.
    const kind = fieldKey(ns, index.number, kindBytes(bound), NO_ID);
    // Of a long string the rows tell only the beginning, so those that begin alike are in, whichever way it goes.
    const isAfter = isExact
      ? operator === 'gt' || operator === 'lte'
      : operator === 'lt' || operator === 'lte';
    const edge = isAfter ? prefixEnd(at) : at;
    const isLower = operator === 'gt' || operator === 'gte';
    gte = later(gte, isLower ? edge : kind);
    lt = earlier(lt, isLower ? prefixEnd(kind) : edge);
    if (isExact) decided.add(condition);
  }
  return isBounded ? { index, rows: { kind: 'span', range: { gte, lt } }, decided } : undefined;
}

function later(left: Uint8Array, right: Uint8Array): Uint8Array {
  return compareBytes(left, right) < 0 ? right : left;
}

function earlier(left: Uint8Array, right: Uint8Array): Uint8Array {
  return compareBytes(left, right) < 0 ? left : right;
}
