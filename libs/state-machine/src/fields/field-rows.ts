import { decodeUtf8 } from '#codec';
import type { ChangeRow } from '../change-row';
import { NO_VALUE } from '../format';
import { fieldKey } from '../keys';
import type { Overlay } from '../overlay';
import { valueAt } from '../query/singular-path';
import type { FieldIndex } from './field-indexes';
import { fieldValue } from './field-value';

/** A version's body as it is compared and indexed. */
export function bodyOf({ json, body }: ChangeRow): unknown {
  return JSON.parse(decodeUtf8(json, body.start, body.end));
}

/** Where rows are changed, and of which object. */
export interface FieldRowsOf {
  readonly rows: Overlay;
  readonly ns: number;
  readonly id: Uint8Array;
}

/**
 * Lets the rows of an object's indexes follow from one version to the next; `undefined` is no object. Also while an
 * index is built: rows of objects that the building has not reached are put too early, which does no harm, and
 * none is ever left that is not of the current version.
 */
export function changeFieldRows(
  { rows, ns, id }: FieldRowsOf,
  indexes: readonly FieldIndex[],
  before: ChangeRow | undefined,
  after: ChangeRow | undefined,
): void {
  const [bodyBefore, bodyAfter] = [before && bodyOf(before), after && bodyOf(after)];
  for (const { number, state, path } of indexes) {
    // What is taken away goes row by row of the index, and queries do not look at it.
    if (state === 'dropping') continue;
    const [was, is] = [valueAt(bodyBefore, path), valueAt(bodyAfter, path)];
    if (was !== undefined) rows.delete(fieldKey(ns, number, fieldValue(was).bytes, id));
    if (is !== undefined) rows.put(fieldKey(ns, number, fieldValue(is).bytes, id), NO_VALUE);
  }
}
