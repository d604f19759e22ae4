import { LIMITS, type Operation, type Preconditions, StateError, commitSeq } from '#contracts';
import { invalidField } from '../errors';
import { whyNotAnId } from '../http/identifiers';
import { type FieldRule, ObjectFields } from './object-fields';
import { readPatch } from './read-patch';
import { PUT_FIELD_RULES, putOf } from './read-put-object';

/** A batch as it came. */
export interface ReadBatch {
  readonly operations: readonly Operation[];
  /** The same as the client said it, with no id where one was made. */
  readonly asked: readonly Operation[];
}

const OPS = ['put', 'patch', 'delete', 'check'] as const;
const ETAG = /^"?(\d{1,16})"?$/;

const BATCH = new ObjectFields({ ops: whyNotOps }, ['ops']);

const CONDITION_RULES: Readonly<Record<string, FieldRule>> = {
  op: () => undefined,
  id: (value) => (typeof value === 'string' ? whyNotAnId(value) : 'must be a string'),
  if_match: (value) => (seqOf(value) === undefined ? 'must be a commit_seq' : undefined),
  if_none_match: (value) =>
    value === true || value === false || value === '*' ? undefined : 'must be true, false or "*"',
};
const FIELDS = {
  put: new ObjectFields({ ...PUT_FIELD_RULES, ...CONDITION_RULES }),
  patch: new ObjectFields({ ...CONDITION_RULES, patch: () => undefined }, ['id', 'patch']),
  delete: new ObjectFields(CONDITION_RULES, ['id']),
  check: new ObjectFields(CONDITION_RULES, ['id']),
} as const;

/** What is wrong with the list itself, or `undefined`. */
export function whyNotOps(ops: unknown): string | undefined {
  return Array.isArray(ops) && ops.length >= 1 && ops.length <= LIMITS.batchOperations
    ? undefined
    : `must be a list of 1 to ${LIMITS.batchOperations} operations`;
}

/** The operations that a body asks for; what is wrong is named by its place, for instance `ops[3].id`. */
export function readBatch(
  body: unknown,
  source: { readonly makeId: () => string; readonly limitBytes: number },
): ReadBatch {
  const ops = BATCH.read(body)['ops'] as readonly unknown[];
  const asked: Operation[] = [];
  const operations: Operation[] = [];
  const ids = new Map<string, number>();
  ops.forEach((op, at) => {
    const place = `ops[${at}]`;
    const operation = readOperation(op, place, source.limitBytes);
    asked.push(operation);
    operations.push(operation.id === '' ? { ...operation, id: source.makeId() } : operation);
    const same = operation.id === '' ? undefined : ids.get(operation.id);
    if (same !== undefined) throw invalidField(`${place}.id`, `is the id of ops[${same}] too`);
    ids.set(operation.id, at);
  });
  return { operations, asked };
}

/** An operation; a put without an id has an empty one here. */
function readOperation(op: unknown, place: string, limitBytes: number): Operation {
  const kind =
    typeof op === 'object' && op !== null && 'op' in op ? OPS.find((name) => name === op.op) : undefined;
  if (kind === undefined) throw invalidField(`${place}.op`, `must be one of ${OPS.join(', ')}`);
  const errors = FIELDS[kind].errors(op);
  if (errors.length > 0) {
    const placed = errors.map(({ field, reason }) => ({ field: `${place}.${field}`, reason }));
    const detail = placed.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    throw new StateError('invalid_request', detail, { errors: placed });
  }
  const fields = op as Readonly<Record<string, unknown>>;
  const conditions = conditionsOf(fields, place);
  const id = (fields['id'] as string | null | undefined) ?? '';
  switch (kind) {
    case 'put':
      return putOf(fields, id, conditions);
    case 'patch': {
      const format = Array.isArray(fields['patch']) ? 'json' : 'merge';
      const patchJson = readPatch(format, fields['patch'], `${place}.patch`);
      return { op: 'patch', id, format, patchJson, limitBytes, ...conditions };
    }
    case 'delete':
    case 'check':
      return { op: kind, id, ...conditions };
  }
}

function conditionsOf(fields: Readonly<Record<string, unknown>>, place: string): Preconditions {
  const ifMatch = seqOf(fields['if_match']);
  const wanted = fields['if_none_match'];
  const ifNoneMatch = wanted === true || wanted === '*';
  if (ifMatch !== undefined && ifNoneMatch) throw invalidField(`${place}.if_none_match`, 'excludes if_match');
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: commitSeq(ifMatch) }),
    ...(ifNoneMatch ? { ifNoneMatch } : {}),
  };
}

/** A version as a number, or as its ETag. */
function seqOf(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(ETAG.exec(value)?.[1] ?? NaN) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : undefined;
}
