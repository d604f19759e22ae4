import { type PatchOperation, StateError } from '#contracts';
import { parseJsonPatch } from '#state-machine';
import { invalidField } from '../errors';

/** The media types of the two kinds of patches. */
export const PATCH_MEDIA_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const;

const MEMBERS: ReadonlySet<string> = new Set(['type', 'body', 'tags', 'ttl_seconds']);

/** Checks a patch's form: whether it fits the object is for the state machine to say. Gives its text. */
export function readPatch(format: PatchOperation['format'], patch: unknown, field = ''): string {
  if (patch === undefined) throw new StateError('invalid_json', 'The body is empty: a patch is required.');
  if (format === 'json') {
    const parsed = parseJsonPatch(patch);
    if (parsed.kind === 'malformed') throw invalidField(`${field}${parsed.error.field}`, parsed.error.reason);
    return JSON.stringify(patch);
  }
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch))
    throw invalidField(field || 'body', 'a merge patch must be a JSON object');
  const unknown = Object.keys(patch).find((key) => !MEMBERS.has(key));
  if (unknown !== undefined)
    throw invalidField(`${field && `${field}.`}${unknown.slice(0, 128)}`, 'cannot be patched');
  return JSON.stringify(patch);
}
