import { LIMITS, NAMESPACE_PATTERN, StateError } from '#contracts';
import { invalidField } from '../errors/problem';
import { isWellFormed } from './unicode';

/** Characters that no id and no type may hold: C0, DEL and C1. */
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;
/** No string of this many characters is longer than 512 bytes, and most ids are that short. */
const CHARACTERS_ALWAYS_SHORT_ENOUGH = LIMITS.idBytes / 3;

/** A namespace as it came in a path, decoded; throws `invalid_request` unless it is one. */
export function checkNamespace(ns: string): string {
  if (NAMESPACE_PATTERN.test(ns)) return ns;
  throw invalidField(
    'ns',
    `must be 1 to ${LIMITS.namespaceCharacters} of the characters A-Z a-z 0-9 . _ : / ~ - and start with a letter or digit`,
  );
}

/** An id, decoded; throws `invalid_request` unless it is one. */
export function checkId(id: string, field = 'id'): string {
  const reason = whyNotAnId(id);
  if (reason === undefined) return id;
  throw invalidField(field, reason);
}

/** What is wrong with an id, or `undefined`. */
export function whyNotAnId(id: string): string | undefined {
  if (id.length === 0) return 'must not be empty';
  if (id.length > CHARACTERS_ALWAYS_SHORT_ENOUGH && Buffer.byteLength(id) > LIMITS.idBytes) {
    return `must be at most ${LIMITS.idBytes} bytes of UTF-8`;
  }
  if (CONTROL_CHARACTERS.test(id)) return 'must not hold control characters';
  if (!isWellFormed(id)) return 'must be well-formed Unicode';
  return undefined;
}

/** A path segment that has to be there. */
export function pathParameter(params: unknown, name: 'ns' | 'id' | 'key' | 'node_id'): string {
  const value = (params as Record<string, string | undefined>)[name];
  if (value === undefined) throw new StateError('not_found', 'There is nothing at this path.');
  return value;
}
