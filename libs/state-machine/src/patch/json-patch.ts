import { LIMITS, type FieldError } from '#contracts';
import { isJsonObject, type JsonObject, memberOf } from './json-members';
import { type JsonPointer, parseJsonPointer } from './json-pointer';

/** One operation of a JSON Patch (RFC 6902, section 4). */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: JsonPointer; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: JsonPointer }
  | { readonly op: 'move' | 'copy'; readonly path: JsonPointer; readonly from: JsonPointer };

export type ParsedJsonPatch =
  | { readonly kind: 'patch'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly kind: 'malformed'; readonly error: FieldError };

/** Reads a patch from parsed JSON. What is wrong is named by its place, for instance `[3].path`. */
export function parseJsonPatch(value: unknown): ParsedJsonPatch {
  if (!Array.isArray(value)) return malformed('body', 'must be a list of operations');
  if (value.length > LIMITS.patchOperations)
    return malformed('body', `must have at most ${LIMITS.patchOperations} operations`);
  const operations: JsonPatchOperation[] = [];
  for (let at = 0; at < value.length; at++) {
    const operation = parseOperation(value[at], `[${at}]`);
    if ('field' in operation) return { kind: 'malformed', error: operation };
    operations.push(operation);
  }
  return { kind: 'patch', operations };
}

function parseOperation(value: unknown, at: string): JsonPatchOperation | FieldError {
  if (!isJsonObject(value)) return { field: at, reason: 'must be an operation, which is an object' };
  const op = memberOf(value, 'op');
  const path = pointerOf(value, 'path', at);
  if ('field' in path) return path;
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(value, 'value')) return { field: `${at}.value`, reason: 'is missing' };
      return { op, path, value: memberOf(value, 'value') };
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy': {
      const from = pointerOf(value, 'from', at);
      if ('field' in from) return from;
      const isInside = from.length < path.length && from.every((token, index) => token === path[index]);
      if (op === 'move' && isInside) return { field: `${at}.path`, reason: 'lies inside what is moved' };
      return { op, path, from };
    }
    default:
      return { field: `${at}.op`, reason: 'must be add, remove, replace, move, copy or test' };
  }
}

function pointerOf(operation: JsonObject, name: 'path' | 'from', at: string): JsonPointer | FieldError {
  const text = memberOf(operation, name);
  const pointer = typeof text === 'string' ? parseJsonPointer(text) : undefined;
  return pointer ?? { field: `${at}.${name}`, reason: 'must be a JSON Pointer: "" or "/" and more' };
}

function malformed(field: string, reason: string): ParsedJsonPatch {
  return { kind: 'malformed', error: { field, reason } };
}
