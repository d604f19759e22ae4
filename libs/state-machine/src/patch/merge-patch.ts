import { isJsonObject, type JsonObject, memberOf, setMember } from './json-members';

/**
 * JSON Merge Patch (RFC 7396, section 2). `target` is changed in place where it is an object, and pieces of `patch`
 * become part of the result.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = isJsonObject(target) ? target : {};
  for (const key of Object.keys(patch)) {
    const value = memberOf(patch, key);
    if (value === null) delete result[key];
    else setMember(result, key, mergePatch(memberOf(result, key), value));
  }
  return result;
}
