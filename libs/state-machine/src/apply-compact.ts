import type { Applied, CommitSeq } from '#contracts';
import type { BatchState, OpenNamespace } from './batch-state';
import { ChangeRow } from './change-row';
import { decodeCommit } from './commit-row';
import { changeKey, commitKey, readCommitKey, readPosition, versionKey } from './keys';

export interface Retention {
  readonly retentionMs: number;
  readonly retentionCommits: number;
  readonly limit: number;
}

/**
 * Forgets commits from the oldest on while they are older than the retention time or beyond the retained number of
 * positions. With a change goes the version that it ended, so what the remaining history can show stays whole; a
 * put's own row is its version, and stays until that is ended and its end forgotten. A
 * commit goes whole or not at all; no further one is begun once `limit` rows are removed.
 */
export function applyCompact(state: BatchState, retention: Retention, tsMs: number): Applied {
  const { counters, rows } = state;
  const keepFromMs = tsMs - retention.retentionMs;
  const keepFromSeq = counters.commitSeq - retention.retentionCommits + 1;
  const range = { gte: commitKey(counters.historyFrom, 0), lt: commitKey(counters.commitSeq + 1, 0) };
  const going = new Map<number, Map<number, number>>();
  let removed = 0;
  let historyFrom = (counters.commitSeq + 1) as CommitSeq;
  for (const [key, value] of rows.scan(range)) {
    const { seq, ns } = readCommitKey(key);
    const commit = decodeCommit(value);
    if ((commit.tsMs >= keepFromMs && seq >= keepFromSeq) || removed >= retention.limit) {
      historyFrom = seq as CommitSeq;
      break;
    }
    const commits = going.get(ns) ?? new Map<number, number>();
    going.set(ns, commits.set(seq, commit.changes));
    removed += commit.changes;
  }
  for (const [ns, commits] of going) forgetCommits(state, state.namespaceByNumber(ns), commits);
  counters.historyFrom = historyFrom;
  return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] }, changes: [] };
}

/** Forgets commits of one namespace, oldest first; `commits` says how many changes each has. */
function forgetCommits(state: BatchState, ns: OpenNamespace, commits: ReadonlyMap<number, number>): void {
  const { rows } = state;
  const left = new Map(commits);
  const seqs = [...commits.keys()];
  const [first, last] = [seqs[0] ?? 0, seqs.at(-1) ?? 0];
  // Read in one go before anything is removed: a command forgets hundreds of commits, and each read has its price.
  const found = [
    ...rows.scan({ gte: changeKey(ns.number, first, 0), lt: changeKey(ns.number, last + 1, 0) }),
  ];
  for (const [key, value] of found) {
    const { seq } = readPosition(key);
    const expected = left.get(seq);
    if (expected === undefined) continue;
    left.set(seq, expected - 1);
    forgetChange(state, ns, seq, key, new ChangeRow(value));
  }
  for (const [seq, missing] of left) {
    if (missing !== 0) {
      throw new Error(
        `commit ${seq} has ${(commits.get(seq) ?? 0) - missing} changes and not ${commits.get(seq)}`,
      );
    }
    rows.delete(commitKey(seq, ns.number));
    ns.compactedThrough = seq as CommitSeq;
  }
}

function forgetChange(
  { rows }: BatchState,
  ns: OpenNamespace,
  seq: number,
  key: Uint8Array,
  { isPut, id, endedSeq, endedOperation }: ChangeRow,
): void {
  if (endedSeq !== 0) {
    rows.delete(versionKey(ns.number, id, endedSeq));
    rows.delete(changeKey(ns.number, endedSeq, endedOperation));
    ns.changes -= 1;
  }
  if (!isPut) {
    rows.delete(versionKey(ns.number, id, seq));
    rows.delete(key);
    ns.changes -= 1;
  }
}
