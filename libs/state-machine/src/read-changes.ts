import type { ChangeBatch, ChangeEvent, CommitSeq } from '#contracts';
import { ChangeRow } from './change-row';
import { decodeCommit } from './commit-row';
import { CommittedChange } from './committed-change';
import { readApplied } from './counters';
import { ChangeKind, Table } from './format';
import { changeKey, commitKey, namespacePrefix, prefixRange, readCommitKey, readPosition } from './keys';
import { readNamespace } from './namespaces';
import type { StateReader } from './state-reader';

/** Bytes that a change counts for beside its object. */
const EVENT_BYTES = 64;

export interface ChangesPage {
  readonly batches: readonly ChangeBatch[];
  /** Everything at or below this position was seen. */
  readonly through: CommitSeq;
}

/**
 * Changes of a namespace from `from` (inclusive) on, in order, in whole batches: at least one if there is any, then
 * about as many as fit `maxBytes`. Asking from before {@link firstAvailable} gives what is left.
 */
export function readChanges(reader: StateReader, ns: string, from: CommitSeq, maxBytes: number): ChangesPage {
  const { commitSeq: position } = readApplied(reader);
  const namespace = readNamespace(reader, ns);
  if (!namespace || from > namespace.commitSeq) return { batches: [], through: position };
  const batches: ChangeBatch[] = [];
  let open: { -readonly [Field in keyof ChangeBatch]: ChangeBatch[Field] } | undefined;
  let events: ChangeEvent[] = [];
  let bytes = 0;
  // Before the history begins there are only the versions that are still live.
  const gte = changeKey(namespace.number, Math.max(from, firstAvailable(reader, ns)), 0);
  const { lt } = prefixRange(namespacePrefix(Table.changes, namespace.number));
  for (const [key, value] of reader.scan({ gte, lt })) {
    const seq = readPosition(key).seq as CommitSeq;
    const change = new ChangeRow(value);
    if (open?.commitSeq !== seq) {
      if (open && bytes >= maxBytes) return { batches, through: open.commitSeq };
      events = [];
      open = { ns, commitSeq: seq, prevCommitSeq: change.prevCommitSeq, tsMs: change.tsMs, events };
      batches.push(open);
    }
    events.push(eventOf(change));
    bytes += EVENT_BYTES + value.length;
  }
  return { batches, through: position };
}

function eventOf({ kind, id, labels, json, isPut }: ChangeRow): ChangeEvent {
  if (isPut) return new CommittedChange(id, labels, json);
  return new CommittedChange(id, labels, kind === ChangeKind.expired ? 'expired' : 'delete');
}

/** The position of a namespace's newest change; 0 when it never had one. */
export function newestChange(reader: StateReader, ns: string): CommitSeq {
  return readNamespace(reader, ns)?.commitSeq ?? (0 as CommitSeq);
}

/** The first position from which a namespace's history is whole: nothing at or after it was forgotten. */
export function firstAvailable(reader: StateReader, ns: string): CommitSeq {
  const { historyFloor } = readApplied(reader);
  const compactedThrough = readNamespace(reader, ns)?.compactedThrough ?? 0;
  return Math.max(historyFloor, compactedThrough + 1) as CommitSeq;
}

/** The oldest commit still held: what tells a leader that compaction is due. */
export function oldestCommit(
  reader: StateReader,
): { readonly commitSeq: CommitSeq; readonly tsMs: number } | undefined {
  const { historyFrom, commitSeq } = readApplied(reader);
  const range = { gte: commitKey(historyFrom, 0), lt: commitKey(commitSeq + 1, 0), limit: 1 };
  for (const [key, value] of reader.scan(range)) {
    return { commitSeq: readCommitKey(key).seq as CommitSeq, tsMs: decodeCommit(value).tsMs };
  }
  return undefined;
}
