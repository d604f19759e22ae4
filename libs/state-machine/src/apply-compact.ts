import type { Applied, CommitSeq } from '#contracts';
import type { BatchState, OpenNamespace } from './batch-state';
import { ChangeRow } from './change-row';
import { decodeCommit } from './commit-row';
import { changeKey, commitKey, readCommitKey, versionKey } from './keys';

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
  const going: { seq: CommitSeq; ns: number; changes: number }[] = [];
  let removed = 0;
  let historyFrom = (counters.commitSeq + 1) as CommitSeq;
  for (const [key, value] of rows.scan(range)) {
    const { seq, ns } = readCommitKey(key);
    const commit = decodeCommit(value);
    if ((commit.tsMs >= keepFromMs && seq >= keepFromSeq) || removed >= retention.limit) {
      historyFrom = seq as CommitSeq;
      break;
    }
    going.push({ seq: seq as CommitSeq, ns, changes: commit.changes });
    removed += commit.changes;
  }
  for (const { seq, ns, changes } of going) {
    const namespace = state.namespaceByNumber(ns);
    forgetChanges(state, namespace, seq, changes);
    rows.delete(commitKey(seq, ns));
    namespace.compactedThrough = seq;
  }
  counters.historyFrom = historyFrom;
  return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] }, changes: [] };
}

function forgetChanges(state: BatchState, ns: OpenNamespace, seq: CommitSeq, changes: number): void {
  const { rows } = state;
  const found = changesOf(state, ns, seq, changes);
  if (found.length !== changes)
    throw new Error(`commit ${seq} has ${found.length} changes and not ${changes}`);
  for (const [key, value] of found) {
    const { isPut, id, endedSeq, endedOperation } = new ChangeRow(value);
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
}

/**
 * The rows of a commit's changes. Read one by one: a command forgets hundreds of commits, and a scan for each would
 * go through all writes of the batch every time.
 */
function changesOf(
  { rows }: BatchState,
  { number }: OpenNamespace,
  seq: CommitSeq,
  changes: number,
): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
  const found: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let operation = 0; operation < changes; operation++) {
    const key = changeKey(number, seq, operation);
    const value = rows.get(key);
    // Operations that change nothing, such as checks, leave gaps: then the scan tells.
    if (value === undefined)
      return [...rows.scan({ gte: changeKey(number, seq, 0), lt: changeKey(number, seq + 1, 0) })];
    found.push([key, value]);
  }
  return found;
}
