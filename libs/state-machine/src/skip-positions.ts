import type { CommitSeq } from '#contracts';
import { encodeCounters, readApplied } from './counters';
import { COUNTERS_KEY } from './keys';
import type { StateReader } from './state-reader';

/**
 * The row that lets a restored state go on after `commitSeq`, a position that nobody was given, and counts all
 * history up to it as gone. Throws when that would give positions out twice.
 */
export function skipPositions(
  reader: StateReader,
  commitSeq: CommitSeq,
): readonly [key: Uint8Array, value: Uint8Array] {
  const counters = readApplied(reader);
  if (commitSeq <= counters.commitSeq) throw new Error(`${commitSeq} is not after ${counters.commitSeq}`);
  const historyFloor = (commitSeq + 1) as CommitSeq;
  return [COUNTERS_KEY, encodeCounters({ ...counters, commitSeq, historyFloor })];
}
