import { commitSeq } from '#contracts';
import type { RollTarget } from '#replication';
import { UsageError } from '../terminal';

export interface TargetOptions {
  readonly toSeq?: string;
  readonly toTime?: string;
  readonly to?: string;
}

/** RFC 3339: a time without its zone would be another moment on another machine. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** How far a restore shall go; exactly the snapshot when nothing else is asked for. */
export function readTarget({ toSeq, toTime, to }: TargetOptions): RollTarget {
  if ([toSeq, toTime, to].filter((one) => one !== undefined).length > 1) {
    throw new UsageError('--to-seq, --to-time and --to exclude each other');
  }
  if (toSeq !== undefined) {
    const seq = /^\d{1,16}$/.test(toSeq) ? Number(toSeq) : NaN;
    if (!Number.isSafeInteger(seq)) {
      throw new UsageError(`${JSON.stringify(toSeq)} is no position. Example: --to-seq 12345`);
    }
    return { kind: 'seq', seq: commitSeq(seq) };
  }
  if (toTime !== undefined) {
    const timeMs = TIME.test(toTime) ? Date.parse(toTime) : NaN;
    if (Number.isNaN(timeMs)) {
      throw new UsageError(
        `${JSON.stringify(toTime)} is no time of RFC 3339. Example: --to-time 2026-11-23T09:00:00Z`,
      );
    }
    return { kind: 'time', timeMs };
  }
  return to === undefined ? { kind: 'snapshot' } : { kind: 'latest' };
}
