import type { PastMoment } from '#contracts';
import { invalidField } from '../errors';
import { wholeNumberParameter } from '../http/query-string';

/** RFC 3339, section 5.6; lower-case letters and a space are allowed there, and refused by `Date.parse` or here. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** The position or the time in the past that a read asks for (`at_seq`, `at`); `undefined` for the present. */
export function momentOf(parameters: ReadonlyMap<string, string>): PastMoment | undefined {
  const seq = wholeNumberParameter(parameters, 'at_seq', { low: 1, high: Number.MAX_SAFE_INTEGER });
  // A plus sign that was not percent-encoded arrives as a space.
  const at = parameters.get('at')?.replace(' ', '+');
  if (at === undefined) return seq === undefined ? undefined : { seq };
  if (seq !== undefined) throw invalidField('at', 'excludes at_seq');
  const timeMs = RFC_3339.test(at) ? Date.parse(at) : NaN;
  if (timeMs >= 0) return { timeMs };
  throw invalidField('at', 'must be a time of RFC 3339, for example 2026-11-23T10:00:00Z');
}
