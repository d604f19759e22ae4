import {
  type CommandView,
  decodeUtf8,
  encodeCommand,
  encodeUtf8,
  type OperationView,
  type PutView,
  viewCommand,
} from '#codec';
import type {
  Applied,
  ChangeEvent,
  CommandOutcome,
  CommitSeq,
  ErrorExtras,
  OperationResult,
} from '#contracts';
import type { BatchState, ChangePlace } from './batch-state';
import { ChangeRow } from './change-row';
import { HeadRow } from './head-row';
import { changeKey, headKey } from './keys';
import { heldLease } from './lease-row';
import type { ObjectRowBuilder } from './object-row';
import { patchObject } from './patch/patch-object';
import { rejected, unchanged } from './rejection';

type WriteView = Extract<CommandView, { kind: 'write' }>;

/** An operation with the object that it meets. */
interface Target {
  readonly operation: OperationView;
  readonly key: Uint8Array;
  readonly id: Uint8Array;
  /** The stored head, which may have expired without having been removed yet. */
  readonly stored: HeadRow | undefined;
  readonly live: HeadRow | undefined;
  /** What to put, and the bytes that hold it: the command's own, or those that a patch came to. */
  put: PutView | undefined;
  bytes: Uint8Array;
}

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
  const stale = refuseStaleFence(state, view, number, tsMs);
  if (stale) return stale;
  const targets: Target[] = [];
  for (const operation of view.operations) {
    const target = findTarget(state, view.bytes, number, operation, tsMs);
    const refusal = refuse(target) ?? preparePatch(state, number, view, target);
    if (refusal) return view.operations.length === 1 ? refusal : blame(refusal, targets.length);
    targets.push(target);
  }
  if (targets.every(({ operation }) => operation.op === 'check'))
    return unchanged({
      kind: 'done',
      commitSeq: state.counters.commitSeq,
      results: targets.map(checked),
    });
  const ns = existing ?? state.createNamespace(view.ns);
  const prevCommitSeq = ns.commitSeq;
  const seq = (state.counters.commitSeq + 1) as CommitSeq;
  const results: OperationResult[] = [];
  const events: ChangeEvent[] = [];
  targets.forEach((target, operation) => {
    if (target.operation.op === 'check') {
      results.push(checked(target));
      return;
    }
    const place: ChangePlace = { ns, seq, operation, tsMs, prevCommitSeq };
    const event = change(state, view.ns, target, place, builder);
    events.push(event);
    results.push(event.object ? { kind: 'object', json: event.object } : { kind: 'deleted' });
  });
  state.commit(ns, seq, tsMs, events.length);
  const outcome: CommandOutcome = { kind: 'done', commitSeq: seq, results };
  return { outcome, changes: [{ ns: ns.name, commitSeq: seq, prevCommitSeq, tsMs, events }] };
}

/** A write that names a lease happens only while that lease is held under that token, by the log's time. */
function refuseStaleFence(
  state: BatchState,
  { fence }: WriteView,
  ns: number,
  tsMs: number,
): Applied | undefined {
  if (!fence) return undefined;
  const held = heldLease(state.rows, ns, encodeUtf8(fence.key), state.hasBug('passExpiredFence') ? 0 : tsMs);
  if (held?.token === fence.token) return undefined;
  return rejected(
    'fence_stale',
    `the lease ${JSON.stringify(fence.key)} is not held under token ${fence.token}`,
  );
}

/** Says which operation of several a command was refused for. */
function blame(refusal: Applied, operation: number): Applied {
  const { outcome } = refusal;
  if (outcome.kind !== 'rejected') return refusal;
  const { code, detail, extras = {} } = outcome;
  const errors = extras.errors?.map(({ field, reason }) => ({ field: `ops[${operation}].${field}`, reason }));
  return rejected(code, `ops[${operation}]: ${detail}`, {
    ...extras,
    errors: errors ?? [{ field: `ops[${operation}]`, reason: detail }],
  });
}

function checked({ live }: Target): OperationResult {
  return { kind: 'checked', commitSeq: live?.commitSeq ?? (0 as CommitSeq) };
}

/** Finds out what a patch comes to, so that all that can be refused is known before anything is changed. */
function preparePatch(state: BatchState, ns: number, view: WriteView, target: Target): Applied | undefined {
  const { operation, live, id } = target;
  if (operation.op !== 'patch') return undefined;
  if (!live) throw new Error('a patch of nothing passed the checks');
  const row = state.rows.get(changeKey(ns, live.commitSeq, live.operation));
  if (!row) throw new Error('a head without the change that made it');
  const version = { commitSeq: live.commitSeq, row: new ChangeRow(row) };
  const patched = patchObject(version, decodeUtf8(id), view.bytes, operation);
  if (patched.kind === 'refused') return rejected(patched.code, patched.detail, patched.extras);
  target.bytes = encodeCommand({ kind: 'write', ns: view.ns, operations: [patched.put] }, 0);
  const made = viewCommand(target.bytes);
  const put = made.kind === 'write' ? made.operations[0] : undefined;
  if (put?.op !== 'put') throw new Error('a patch did not come to a put');
  target.put = put;
  return undefined;
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
  const put = operation.op === 'put' ? operation : undefined;
  return { operation, key, id: bytes.subarray(start, end), stored, live, put, bytes };
}

/**
 * Preconditions as RFC 9110 section 13.1 has them. A delete or patch of nothing is `not_found` whatever its conditions say
 * (section 13.2.1: conditions are looked at only where the answer would be a success without them).
 */
function refuse({ operation, live, id }: Target): Applied | undefined {
  const { op, ifMatch, ifNoneMatch } = operation;
  if ((op === 'delete' || op === 'patch') && !live)
    return rejected('not_found', `there is no object ${quote(id)}`);
  if (op === 'check' && !live && !ifNoneMatch)
    return rejected('precondition_failed', `object ${quote(id)} does not exist`, { current_commit_seq: 0 });
  const current: ErrorExtras = { current_commit_seq: live?.commitSeq ?? 0 };
  if (ifNoneMatch && live) return rejected('precondition_failed', `object ${quote(id)} exists`, current);
  if (ifMatch === undefined || live?.commitSeq === ifMatch) return undefined;
  const found = live ? `is at ${live.commitSeq}` : 'does not exist';
  return rejected('precondition_failed', `object ${quote(id)} ${found}, not at ${ifMatch}`, current);
}

function change(
  state: BatchState,
  ns: string,
  { key, id, stored, live, put, bytes }: Target,
  place: ChangePlace,
  builder: ObjectRowBuilder,
): ChangeEvent {
  if (!put) {
    if (!live) throw new Error('a delete of nothing passed the checks');
    return state.deleteObject(place, key, id, live, 'delete');
  }
  const { tsMs, seq } = place;
  const { ttlSeconds } = put;
  const row = builder.build(bytes, ns, put, {
    commitSeq: seq,
    createdSeq: live?.createdSeq ?? seq,
    tsMs,
    expiresAtMs: ttlSeconds === undefined ? 0 : tsMs + ttlSeconds * 1000,
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

function quote(id: Uint8Array): string {
  return JSON.stringify(decodeUtf8(id));
}
