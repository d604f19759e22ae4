import { type CommandView, decodeUtf8, type OperationView } from '#codec';
import type {
  Applied,
  ChangeEvent,
  CommandOutcome,
  CommitSeq,
  ErrorCode,
  ErrorExtras,
  OperationResult,
} from '#contracts';
import type { BatchState, ChangePlace } from './batch-state';
import { ChangeRow } from './change-row';
import { HeadRow } from './head-row';
import { headKey } from './keys';
import type { ObjectRowBuilder } from './object-row';

type WriteView = Extract<CommandView, { kind: 'write' }>;

/** An operation with the object that it meets. */
interface Target {
  readonly operation: OperationView;
  readonly key: Uint8Array;
  readonly id: Uint8Array;
  /** The stored head, which may have expired without having been removed yet. */
  readonly stored: HeadRow | undefined;
  readonly live: HeadRow | undefined;
}

const NO_CHANGES: Applied['changes'] = [];

/** Runs a write: first everything is checked, then everything is changed, so that a rejection changes nothing. */
export function applyWrite(
  state: BatchState,
  view: WriteView,
  tsMs: number,
  builder: ObjectRowBuilder,
): Applied {
  if (view.operations.length === 0)
    return rejected('invalid_request', 'a write needs at least one operation');
  if (namesAnIdTwice(view)) return rejected('invalid_request', 'an id may stand in one operation only');
  const existing = state.namespace(view.ns);
  const number = existing?.number ?? state.counters.nextNamespace;
  const targets: Target[] = [];
  for (const operation of view.operations) {
    const target = findTarget(state, view.bytes, number, operation, tsMs);
    const refusal = refuse(target);
    if (refusal) return refusal;
    targets.push(target);
  }
  const ns = existing ?? state.createNamespace(view.ns);
  const prevCommitSeq = ns.commitSeq;
  const seq = (state.counters.commitSeq + 1) as CommitSeq;
  const results: OperationResult[] = [];
  const events: ChangeEvent[] = [];
  targets.forEach((target, operation) => {
    const place: ChangePlace = { ns, seq, operation, tsMs, prevCommitSeq };
    const event = change(state, view, target, place, builder);
    events.push(event);
    results.push(event.object ? { kind: 'object', json: event.object } : { kind: 'deleted' });
  });
  state.commit(ns, seq, tsMs, events.length);
  const outcome: CommandOutcome = { kind: 'done', commitSeq: seq, results };
  return { outcome, changes: [{ ns: ns.name, commitSeq: seq, prevCommitSeq, tsMs, events }] };
}

function findTarget(
  state: BatchState,
  bytes: Uint8Array,
  ns: number,
  operation: OperationView,
  tsMs: number,
): Target {
  const { start, end } = operation.id;
  const key = headKey(ns, bytes, start, end);
  const row = state.rows.get(key);
  const stored = row && new HeadRow(row);
  const live = stored?.isLive(tsMs) ? stored : undefined;
  return { operation, key, id: bytes.subarray(start, end), stored, live };
}

/**
 * Preconditions as RFC 9110 section 13.1 has them. A delete of nothing is `not_found` whatever its conditions say
 * (section 13.2.1: conditions are looked at only where the answer would be a success without them).
 */
function refuse({ operation, live, id }: Target): Applied | undefined {
  if (operation.op === 'delete' && !live) return rejected('not_found', `there is no object ${quote(id)}`);
  const { ifMatch, ifNoneMatch } = operation;
  const current: ErrorExtras = live ? { current_commit_seq: live.commitSeq } : {};
  if (ifNoneMatch && live) return rejected('precondition_failed', `object ${quote(id)} exists`, current);
  if (ifMatch === undefined || live?.commitSeq === ifMatch) return undefined;
  const found = live ? `is at ${live.commitSeq}` : 'does not exist';
  return rejected('precondition_failed', `object ${quote(id)} ${found}, not at ${ifMatch}`, current);
}

function change(
  state: BatchState,
  view: WriteView,
  target: Target,
  place: ChangePlace,
  builder: ObjectRowBuilder,
): ChangeEvent {
  const { operation, key, id, stored, live } = target;
  if (operation.op === 'delete') {
    if (!live) throw new Error('a delete of nothing passed the checks');
    return state.deleteObject(place, key, id, live, 'delete');
  }
  const { tsMs, seq } = place;
  const row = builder.build(view.bytes, view.ns, operation, {
    commitSeq: seq,
    createdSeq: live?.createdSeq ?? seq,
    tsMs,
    expiresAtMs: operation.ttlSeconds === undefined ? 0 : tsMs + operation.ttlSeconds * 1000,
    prevCommitSeq: place.prevCommitSeq,
    endedSeq: stored?.commitSeq ?? 0,
    endedOperation: stored?.operation ?? 0,
  });
  return state.putObject(place, key, id, new ChangeRow(row), stored);
}

function namesAnIdTwice({ operations, bytes }: WriteView): boolean {
  if (operations.length === 1) return false;
  const ids = new Set(operations.map(({ id }) => decodeUtf8(bytes, id.start, id.end)));
  return ids.size !== operations.length;
}

function rejected(code: ErrorCode, detail: string, extras?: ErrorExtras): Applied {
  const outcome: CommandOutcome = { kind: 'rejected', code, detail, ...(extras ? { extras } : {}) };
  return { outcome, changes: NO_CHANGES };
}

function quote(id: Uint8Array): string {
  return JSON.stringify(decodeUtf8(id));
}
