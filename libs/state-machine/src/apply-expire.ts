import type { Applied, ChangeBatch, ChangeEvent, CommitSeq } from '#contracts';
import { dropLease } from './apply-lease';
import type { BatchState, OpenNamespace } from './batch-state';
import { ExpiryKind } from './format';
import { HeadRow } from './head-row';
import { expireAnswers } from './kept-answers';
import { type ExpiryKey, expiryRange, headKey, readExpiryKey } from './keys';

interface NamespaceEvents {
  readonly ns: OpenNamespace;
  readonly prevCommitSeq: CommitSeq;
  readonly events: ChangeEvent[];
}

/** Most rows of one command, whatever it asks for: operations are numbered in two bytes, and one must not stall. */
const MOST_ROWS = 10_000;

/**
 * Removes what has ended by `tsMs`, soonest first, at most `limit` rows: objects, all at one position, leases, and
 * answers kept long enough. Takes no position when no object has expired.
 */
export function applyExpire(state: BatchState, requested: number, tsMs: number): Applied {
  const limit = Math.min(requested, MOST_ROWS);
  const { counters, rows } = state;
  const due = [...rows.scan({ ...expiryRange(counters.expiryFromMs, tsMs), limit })].map(([key]) =>
    readExpiryKey(key),
  );
  // A later put may expire at this very millisecond, so the next look begins with it.
  let nextMs = due.length < limit ? tsMs : (due.at(-1)?.expiresAtMs ?? counters.expiryFromMs);
  const objects: ExpiryKey[] = [];
  let answersLeft = limit;
  for (const row of due) {
    if (row.kind === ExpiryKind.object) {
      objects.push(row);
    } else if (row.kind === ExpiryKind.lease) {
      dropLease(state, row.ns, row.id);
    } else {
      const answers = expireAnswers(state, row.ns, tsMs, answersLeft);
      answersLeft -= answers.dropped;
      nextMs = Math.min(nextMs, answers.nextMs ?? nextMs);
    }
  }
  counters.expiryFromMs = nextMs;
  return expireObjects(state, objects, tsMs);
}

function expireObjects(state: BatchState, due: readonly ExpiryKey[], tsMs: number): Applied {
  const { counters, rows } = state;
  if (due.length === 0)
    return { outcome: { kind: 'done', commitSeq: counters.commitSeq, results: [] }, changes: [] };
  const seq = (counters.commitSeq + 1) as CommitSeq;
  const groups = new Map<number, NamespaceEvents>();
  due.forEach(({ ns: number, id }, operation) => {
    const group = groups.get(number) ?? openGroup(state, number);
    groups.set(number, group);
    const key = headKey(number, id, 0, id.length);
    const row = rows.get(key);
    if (!row) throw new Error('an expiry row without its object');
    const place = { ns: group.ns, seq, operation, tsMs, prevCommitSeq: group.prevCommitSeq };
    group.events.push(state.deleteObject(place, key, id, new HeadRow(row), 'expired'));
  });
  const changes: ChangeBatch[] = [];
  for (const { ns, prevCommitSeq, events } of groups.values()) {
    state.commit(ns, seq, tsMs, events.length);
    changes.push({ ns: ns.name, commitSeq: seq, prevCommitSeq, tsMs, events });
  }
  return { outcome: { kind: 'done', commitSeq: seq, results: [] }, changes };
}

function openGroup(state: BatchState, number: number): NamespaceEvents {
  const ns = state.namespaceByNumber(number);
  return { ns, prevCommitSeq: ns.commitSeq, events: [] };
}
