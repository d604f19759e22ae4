import {
  type FieldError,
  LIMITS,
  type PutOperation,
  type Preconditions,
  StateError,
  type Tags,
} from '#contracts';
import { whyNotATimeToLive, whyNotAType, whyNotTags } from '#state-machine';
import { whyNotAnId } from '../http/identifiers';
import { type FieldRule, ObjectFields } from './object-fields';

const NO_TAGS: Tags = Object.freeze(Object.create(null) as Record<string, string>);
const NO_PARENTS: readonly string[] = Object.freeze([]);

/** What each field of a put must be. */
export const PUT_FIELD_RULES: Readonly<Record<string, FieldRule>> = {
  id: (value) => (typeof value === 'string' ? whyNotAnId(value) : 'must be a string'),
  type: whyNotAType,
  body: () => undefined,
  tags: whyNotTags,
  ttl_seconds: whyNotATimeToLive,
  parents: (value) =>
    Array.isArray(value) && value.length <= LIMITS.parents && value.every(isParent)
      ? undefined
      : `must be a list of at most ${LIMITS.parents} strings of 1 to ${LIMITS.parentCharacters} characters`,
};
const FIELDS = new ObjectFields(PUT_FIELD_RULES);

function isParent(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= LIMITS.parentCharacters;
}

/** What is wrong with a body for a put; empty when nothing is. */
export function putObjectErrors(body: unknown): readonly FieldError[] {
  return FIELDS.errors(body);
}

/**
 * The operation that a body asks for, checked by the rules of `PutObjectDto`. `pathId` is the id of the path,
 * already checked; without one and without an id in the body, `makeId` gives one.
 */
export function readPutObject(
  body: unknown,
  source: { readonly pathId?: string; readonly makeId: () => string; readonly preconditions: Preconditions },
): PutOperation {
  const fields = FIELDS.read(body);
  const bodyId = (fields['id'] ?? undefined) as string | undefined;
  const { pathId } = source;
  if (pathId !== undefined && bodyId !== undefined && bodyId !== pathId) {
    throw new StateError('invalid_request', 'id: must be the id of the path', {
      errors: [{ field: 'id', reason: 'must be the id of the path, or left out' }],
    });
  }
  return putOf(fields, pathId ?? bodyId ?? source.makeId(), source.preconditions);
}

/** The put that checked fields come to, with the defaults of what was left out. */
export function putOf(
  fields: Readonly<Record<string, unknown>>,
  id: string,
  preconditions: Preconditions,
): PutOperation {
  return {
    op: 'put',
    id,
    type: (fields['type'] as string | null | undefined) ?? 'object',
    bodyJson: fields['body'] === undefined ? 'null' : JSON.stringify(fields['body']),
    tags: (fields['tags'] as Tags | null | undefined) ?? NO_TAGS,
    ttlSeconds: (fields['ttl_seconds'] as number | null | undefined) ?? undefined,
    parents: (fields['parents'] as readonly string[] | null | undefined) ?? NO_PARENTS,
    ifMatch: preconditions.ifMatch,
    ifNoneMatch: preconditions.ifNoneMatch,
  };
}
