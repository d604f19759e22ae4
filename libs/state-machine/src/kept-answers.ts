import {
  ByteReader,
  ByteWriter,
  decodeOutcome,
  encodeOutcome,
  encodeUtf8,
  sizedLength,
  utf8Length,
} from '#codec';
import { type Applied, type CommandOutcome, type IdempotencyKey, LIMITS } from '#contracts';
import type { BatchState, OpenNamespace } from './batch-state';
import { ExpiryKind, NO_VALUE } from './format';
import { expiryKey, keptAnswerKey, keptOrderKey, keptTotalsKey } from './keys';
import { rejected, unchanged } from './rejection';
import type { StateReader } from './state-reader';

/** How many answers one namespace keeps, and for how long. */
export interface KeptLimits {
  readonly answers: number;
  readonly bytes: number;
  readonly forMs: number;
}

const LIMITS_OF_A_NAMESPACE: KeptLimits = {
  answers: LIMITS.idempotencyKeys,
  bytes: LIMITS.idempotencyBytes,
  forMs: LIMITS.idempotencyMs,
};

/** What a namespace keeps in all. Numbers from `first` to below `next` are held, but for those dropped out of turn. */
interface KeptTotals {
  readonly first: number;
  readonly next: number;
  readonly answers: number;
  readonly bytes: number;
  /** When the namespace's expiry row says that the oldest may have ended; 0: there is no such row. */
  readonly timerMs: number;
}

const NOTHING_KEPT: KeptTotals = { first: 1, next: 1, answers: 0, bytes: 0, timerMs: 0 };

/**
 * Runs a command once for each idempotency key of its namespace: later ones get the first one's answer, whatever it
 * was. The answer is kept in the state, in the same write as what the command changed, so it holds on every replica
 * and after every crash. Without a key the command just runs.
 */
export function once(
  state: BatchState,
  { ns, idempotency }: { readonly ns: string; readonly idempotency?: IdempotencyKey | undefined },
  tsMs: number,
  run: () => Applied,
): Applied {
  if (!idempotency) return run();
  const known = findAnswer(state, ns, idempotency, tsMs);
  if (known && state.hasBug('replayIdempotentTwice')) {
    const { outcome, changes } = run();
    return { outcome: { ...outcome, replayed: true }, changes };
  }
  if (known) return known;
  const applied = run();
  const namespace = state.namespace(ns) ?? state.createNamespace(ns);
  keepAnswer(state, namespace, idempotency, applied.outcome, { tsMs, limits: LIMITS_OF_A_NAMESPACE });
  return applied;
}

function findAnswer(
  state: BatchState,
  ns: string,
  { key, fingerprint }: IdempotencyKey,
  tsMs: number,
): Applied | undefined {
  const number = state.namespace(ns)?.number;
  const row = number === undefined ? undefined : state.rows.get(keptAnswerKey(number, encodeUtf8(key)));
  const kept = row && decodeAnswer(row);
  if (!kept || kept.expiresAtMs <= tsMs) return undefined;
  if (kept.fingerprint !== fingerprint) {
    const detail = 'the idempotency key was used with another payload in the last 24 hours';
    return rejected('idempotency_key_reused', detail);
  }
  return unchanged({ ...decodeOutcome(kept.outcome), replayed: true });
}

/** Keeps an answer and, past the limits, drops the oldest. Exported for the tests of its limits. */
export function keepAnswer(
  state: BatchState,
  ns: OpenNamespace,
  { key, fingerprint }: IdempotencyKey,
  outcome: CommandOutcome,
  { tsMs, limits }: { readonly tsMs: number; readonly limits: KeptLimits },
): void {
  const keyBytes = encodeUtf8(key);
  const before = readTotals(state.rows, ns.number);
  const replaced = state.rows.get(keptAnswerKey(ns.number, keyBytes));
  let totals = replaced ? dropAnswer(state, ns.number, keyBytes, replaced, before) : before;
  const expiresAtMs = tsMs + limits.forMs;
  const number = totals.next;
  const row = encodeAnswer({ number, expiresAtMs, fingerprint, outcome: encodeOutcome(outcome) });
  state.rows.put(keptAnswerKey(ns.number, keyBytes), row);
  state.rows.put(keptOrderKey(ns.number, number), keyBytes);
  totals = {
    ...totals,
    next: number + 1,
    answers: totals.answers + 1,
    bytes: totals.bytes + sizeOf(keyBytes, row),
  };
  if (totals.timerMs === 0) totals = setTimer(state, ns.number, totals, expiresAtMs);
  while (totals.answers > limits.answers || (totals.bytes > limits.bytes && totals.answers > 1)) {
    totals = dropFirst(state, ns.number, totals);
  }
  state.rows.put(keptTotalsKey(ns.number), encodeTotals(totals));
}

/**
 * Drops what has been kept long enough, oldest first, at most about `limit` answers, when the namespace's expiry row
 * is due. Gives how many went, and when the row is due again (`undefined`: never, there is none any more).
 */
export function expireAnswers(
  state: BatchState,
  ns: number,
  tsMs: number,
  limit: number,
): { readonly dropped: number; readonly nextMs: number | undefined } {
  let totals = readTotals(state.rows, ns);
  state.rows.delete(expiryKey(totals.timerMs, ExpiryKind.keptAnswers, ns, NO_VALUE));
  totals = { ...totals, timerMs: 0 };
  let dropped = 0;
  let oldestMs = expiryOfFirst(state, ns, totals);
  for (; totals.answers > 0 && dropped < limit; dropped++) {
    if (oldestMs !== undefined && oldestMs > tsMs) break;
    totals = dropFirst(state, ns, totals);
    oldestMs = expiryOfFirst(state, ns, totals);
  }
  // Where an answer was dropped out of turn there is nothing to tell a time by: look again at once.
  const nextMs = totals.answers === 0 ? undefined : (oldestMs ?? tsMs);
  if (nextMs !== undefined) totals = setTimer(state, ns, totals, nextMs);
  state.rows.put(keptTotalsKey(ns), encodeTotals(totals));
  return { dropped, nextMs };
}

function setTimer(state: BatchState, ns: number, totals: KeptTotals, timerMs: number): KeptTotals {
  state.rows.put(expiryKey(timerMs, ExpiryKind.keptAnswers, ns, NO_VALUE), NO_VALUE);
  return { ...totals, timerMs };
}

/** Moves past the lowest number held, and drops its answer if it is still there. */
function dropFirst(state: BatchState, ns: number, totals: KeptTotals): KeptTotals {
  const orderKey = keptOrderKey(ns, totals.first);
  const keyBytes = state.rows.get(orderKey);
  const moved = { ...totals, first: totals.first + 1 };
  if (!keyBytes) return moved;
  const row = state.rows.get(keptAnswerKey(ns, keyBytes));
  if (!row) throw new Error('a kept answer has its number and no row');
  return dropAnswer(state, ns, keyBytes, row, moved);
}

function dropAnswer(
  state: BatchState,
  ns: number,
  keyBytes: Uint8Array,
  row: Uint8Array,
  totals: KeptTotals,
): KeptTotals {
  state.rows.delete(keptAnswerKey(ns, keyBytes));
  state.rows.delete(keptOrderKey(ns, decodeAnswer(row).number));
  return { ...totals, answers: totals.answers - 1, bytes: totals.bytes - sizeOf(keyBytes, row) };
}

function expiryOfFirst(state: BatchState, ns: number, { first, next }: KeptTotals): number | undefined {
  const keyBytes = first < next ? state.rows.get(keptOrderKey(ns, first)) : undefined;
  const row = keyBytes && state.rows.get(keptAnswerKey(ns, keyBytes));
  return row && decodeAnswer(row).expiresAtMs;
}

/** The key stands twice: with its answer, and in the order. */
function sizeOf(keyBytes: Uint8Array, row: Uint8Array): number {
  return 2 * keyBytes.length + row.length;
}

interface AnswerRow {
  readonly number: number;
  readonly expiresAtMs: number;
  readonly fingerprint: string;
  readonly outcome: Uint8Array;
}

function encodeAnswer({ number, expiresAtMs, fingerprint, outcome }: AnswerRow): Uint8Array {
  const writer = new ByteWriter(14 + sizedLength(utf8Length(fingerprint)) + outcome.length);
  writer.u64(number);
  writer.u48(expiresAtMs);
  writer.string(fingerprint);
  writer.raw(outcome);
  return writer.finish();
}

function decodeAnswer(row: Uint8Array): AnswerRow {
  const bytes = new ByteReader(row);
  const number = bytes.u64();
  const expiresAtMs = bytes.u48();
  const fingerprint = bytes.string();
  return { number, expiresAtMs, fingerprint, outcome: bytes.raw(bytes.remaining) };
}

function readTotals(reader: StateReader, ns: number): KeptTotals {
  const row = reader.get(keptTotalsKey(ns));
  return row ? decodeTotals(row) : NOTHING_KEPT;
}

/** When a row of totals says that the oldest answer may have ended; 0 for never. */
export function timerOfTotals(row: Uint8Array): number {
  return decodeTotals(row).timerMs;
}

function decodeTotals(row: Uint8Array): KeptTotals {
  const bytes = new ByteReader(row);
  const totals: KeptTotals = {
    first: bytes.u64(),
    next: bytes.u64(),
    answers: bytes.u64(),
    bytes: bytes.u64(),
    timerMs: bytes.u48(),
  };
  bytes.expectEnd('the totals of kept answers');
  return totals;
}

function encodeTotals(totals: KeptTotals): Uint8Array {
  const writer = new ByteWriter(38);
  writer.u64(totals.first);
  writer.u64(totals.next);
  writer.u64(totals.answers);
  writer.u64(totals.bytes);
  writer.u48(totals.timerMs);
  return writer.finish();
}
