import { utf8Length } from '#codec';
import { LIMITS } from '#contracts';

/** What is wrong with tags, or `undefined`. Keys are compared as they are: `__proto__` is one like any other. */
export function whyNotTags(tags: unknown): string | undefined {
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return 'must be an object of strings';
  let count = 0;
  for (const key in tags) {
    if (!Object.hasOwn(tags, key)) continue;
    if (++count > LIMITS.tags) return `must be at most ${LIMITS.tags}`;
    const value = (tags as Record<string, unknown>)[key];
    if (typeof value !== 'string') return 'must have strings as values';
    if (!fitsTag(key) || !fitsTag(value))
      return `must have keys and values of at most ${LIMITS.tagBytes} bytes`;
  }
  return undefined;
}

/** What is wrong with a type, or `undefined`. */
export function whyNotAType(type: unknown): string | undefined {
  if (typeof type !== 'string' || type.length === 0) return 'must be a string that is not empty';
  return utf8Length(type) > LIMITS.typeBytes ? `must be at most ${LIMITS.typeBytes} bytes` : undefined;
}

/** What is wrong with a time to live in seconds, or `undefined`. */
export function whyNotATimeToLive(seconds: unknown): string | undefined {
  const isTtl =
    Number.isInteger(seconds) && (seconds as number) >= 1 && (seconds as number) <= LIMITS.ttlSeconds;
  return isTtl ? undefined : `must be a whole number from 1 to ${LIMITS.ttlSeconds}`;
}

/** A string of n characters has at most 3n bytes of UTF-8, so most need no counting. */
function fitsTag(text: string): boolean {
  return text.length * 3 <= LIMITS.tagBytes || utf8Length(text) <= LIMITS.tagBytes;
}
