import type { ChangeEvent, CommandOutcome, Operation } from '#contracts';
import type { ObjectInput } from '../linearizability/models/object-model';
import type { DecidedHistory } from './decided-history';

/** A write as it was asked for: all of its operations happen at one position, or none does. */
export interface AskedWrite {
  readonly ns: string;
  readonly operations: readonly Operation[];
  /** The highest position that anybody had been told when it was first asked for. */
  readonly knownBefore: number;
}

type Done = Extract<CommandOutcome, { kind: 'done' }>;
type Rejected = Extract<CommandOutcome, { kind: 'rejected' }>;

interface Refusal {
  readonly code: string;
  /** Which of the operations. */
  readonly at: number;
  readonly current: number;
}

const decoder = new TextDecoder();

/** Compares a write that was done with what is decided at its position; says what is wrong, if anything is. */
export function faultOfDone(
  decided: DecidedHistory,
  { ns, operations, knownBefore }: AskedWrite,
  { commitSeq, results }: Done,
): string | undefined {
  const changing = operations.filter(({ op }) => op !== 'check');
  // Where nothing was changed no position was taken: the answer says as of which one the checks hold.
  const isAfter = changing.length > 0;
  if (isAfter ? commitSeq <= knownBefore : commitSeq < knownBefore)
    return `position ${commitSeq}, though ${knownBefore} was known before it was asked for`;
  const asOf = isAfter ? commitSeq - 1 : commitSeq;
  const refusal = refusalAt(decided, ns, operations, asOf);
  if (refusal !== undefined)
    return `done at ${commitSeq}, where operation ${refusal.at} had to be refused with ${refusal.code}`;
  for (const [at, result] of results.entries()) {
    const version = decided.versionAt(ns, operations[at]?.id ?? '', asOf);
    if (result.kind === 'checked' && result.commitSeq !== version)
      return `operation ${at} found version ${result.commitSeq}, it was ${version}`;
  }
  if (!isAfter) return undefined;
  const events = decided.batches(ns).findLast((batch) => batch.commitSeq === commitSeq)?.events;
  if (events === undefined) return `done at ${commitSeq}; no replica has that`;
  const asked = changing.map(textOfOperation).join(', ');
  const found = events.map(textOfEvent).join(', ');
  return asked === found ? undefined : `asked for ${asked}; at ${commitSeq} there is ${found}`;
}

/** Whether there was a moment, while the write was under way, at which it had to be refused like this. */
export function faultOfRefusal(
  decided: DecidedHistory,
  { ns, operations, knownBefore }: AskedWrite,
  { code, extras }: Rejected,
): string | undefined {
  const blamed = /^ops\[(\d+)\]/.exec(extras?.errors?.[0]?.field ?? '')?.[1];
  const isIt = (position: number): boolean => {
    const refusal = refusalAt(decided, ns, operations, position);
    if (refusal?.code !== code || refusal.at !== Number(blamed ?? 0)) return false;
    return code !== 'precondition_failed' || refusal.current === extras?.current_commit_seq;
  };
  if (isIt(knownBefore)) return undefined;
  for (const { commitSeq } of decided.batchesAfter(ns, knownBefore)) if (isIt(commitSeq)) return undefined;
  const why = `${code} for operation ${blamed ?? 0}, current ${String(extras?.current_commit_seq)}`;
  return `refused with ${why}, which held at no position from ${knownBefore} on`;
}

/** Why a write is refused on top of what is decided up to a position: the first operation that cannot be. */
function refusalAt(
  decided: DecidedHistory,
  ns: string,
  operations: readonly Operation[],
  position: number,
): Refusal | undefined {
  for (const [at, { op, id, ifMatch, ifNoneMatch = false }] of operations.entries()) {
    const current = decided.versionAt(ns, id, position);
    if (op === 'delete' && current === 0) return { code: 'not_found', at, current };
    const isMissing = op === 'check' && current === 0 && !ifNoneMatch;
    const isThere = ifNoneMatch && current !== 0;
    const isOther = ifMatch !== undefined && current !== ifMatch;
    if (isMissing || isThere || isOther) return { code: 'precondition_failed', at, current };
  }
  return undefined;
}

/** An operation as the history of its object has it; a check is none. `batch`: the write that it belongs to. */
export function objectInput(operation: Operation, batch: string): ObjectInput | undefined {
  const { op, id, ifMatch, ifNoneMatch } = operation;
  const condition = {
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  };
  if (op === 'put') return { op, id, value: operation.bodyJson, batch, ...condition };
  return op === 'delete' ? { op, id, batch, ...condition } : undefined;
}

function textOfOperation(operation: Operation): string {
  return operation.op === 'put' ? `put ${operation.id} ${operation.bodyJson}` : `delete ${operation.id}`;
}

function textOfEvent({ kind, id, object }: ChangeEvent): string {
  if (object === undefined) return `${kind} ${id}`;
  return `${kind} ${id} ${bodyOf(object)}`;
}

/** The body of an object's JSON, as compact JSON. */
export function bodyOf(object: Uint8Array): string {
  return JSON.stringify((JSON.parse(decoder.decode(object)) as { body: unknown }).body);
}
