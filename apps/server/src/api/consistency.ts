import { commitSeq } from '#contracts';
import type { Consistency } from '#replication';
import { invalidField } from '../errors';
import { wholeNumberParameter } from '../http/query-string';

const LINEARIZABLE: Consistency = { kind: 'linearizable' };

/** The query parameters that every read has. */
export const CONSISTENCY_PARAMETERS: readonly string[] = ['consistency', 'min_seq'];

export function consistencyOf(parameters: ReadonlyMap<string, string>): Consistency {
  if (parameters.size === 0) return LINEARIZABLE;
  const kind = parameters.get('consistency') ?? 'linearizable';
  const minSeq = wholeNumberParameter(parameters, 'min_seq', { low: 0, high: Number.MAX_SAFE_INTEGER });
  if (kind === 'stale') return { kind, minSeq: minSeq === undefined ? undefined : commitSeq(minSeq) };
  if (kind !== 'linearizable') throw invalidField('consistency', 'must be linearizable or stale');
  if (minSeq !== undefined) throw invalidField('min_seq', 'goes with consistency=stale');
  return LINEARIZABLE;
}
