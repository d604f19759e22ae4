import { LIMITS } from '#contracts';
import { isJsonObject, type JsonObject, memberOf, setMember } from './json-members';
import type { JsonPatchOperation } from './json-patch';
import { arrayIndex, type JsonPointer } from './json-pointer';

export type JsonPatchResult =
  | { readonly kind: 'patched'; readonly value: unknown }
  /** A `test` found another value. `at` counts operations from 0. */
  | { readonly kind: 'test_failed'; readonly at: number }
  /** An operation names what is not there, or would copy or compare too much. */
  | { readonly kind: 'inapplicable'; readonly at: number; readonly reason: string };

/** Values that all copies and comparisons of one patch may visit together: copies of copies grow fast. */
const MOST_VISITS = 500_000;
/** Moves can nest values ever deeper until the end, where the result is checked: none is followed further than this. */
const MOST_LEVELS = 2 * LIMITS.jsonDepth;

/** Applies a patch to a value, which is changed in place and is of no use when the patch could not be applied. */
export function applyJsonPatch(
  document: unknown,
  operations: readonly JsonPatchOperation[],
): JsonPatchResult {
  const patching = new Patching(document);
  for (let at = 0; at < operations.length; at++) {
    const failure = patching.run(operations[at] as JsonPatchOperation);
    if (failure === 'test_failed') return { kind: 'test_failed', at };
    if (failure !== undefined) return { kind: 'inapplicable', at, reason: failure };
  }
  return { kind: 'patched', value: patching.value };
}

const ABSENT = Symbol('absent');
const NOTHING_THERE = 'there is nothing at this place';
const TOO_MUCH = 'copies or compares too much';

/** A value while operations change it. A method gives what went wrong, as text, or `undefined`. */
class Patching {
  private visitsLeft = MOST_VISITS;

  constructor(public value: unknown) {}

  run(operation: JsonPatchOperation): string | undefined {
    const { path } = operation;
    switch (operation.op) {
      case 'add':
        return this.add(path, operation.value);
      case 'remove':
        return this.remove(path);
      case 'replace':
        return this.at(path) === ABSENT ? NOTHING_THERE : this.set(path, operation.value);
      case 'move': {
        const moved = this.at(operation.from);
        if (moved === ABSENT) return NOTHING_THERE;
        // A move to where it is changes nothing, also where nothing could be removed: at the root.
        if (samePlace(operation.from, path)) return undefined;
        return this.remove(operation.from) ?? this.add(path, moved);
      }
      case 'copy': {
        const copied = this.at(operation.from);
        if (copied === ABSENT) return NOTHING_THERE;
        const copy = this.copy(copied);
        return this.visitsLeft < 0 ? TOO_MUCH : this.add(path, copy);
      }
      case 'test': {
        const found = this.at(path);
        if (found === ABSENT) return 'test_failed';
        const isEqual = this.equal(found, operation.value);
        if (this.visitsLeft < 0) return TOO_MUCH;
        return isEqual ? undefined : 'test_failed';
      }
    }
  }

  private at(path: JsonPointer): unknown {
    let value = this.value;
    for (const token of path) {
      if (Array.isArray(value)) {
        const index = arrayIndex(token);
        if (index === undefined || index >= value.length) return ABSENT;
        value = value[index];
      } else if (isJsonObject(value) && Object.hasOwn(value, token)) {
        value = memberOf(value, token);
      } else {
        return ABSENT;
      }
    }
    return value;
  }

  private parentOf(path: JsonPointer): unknown {
    return this.at(path.slice(0, -1));
  }

  private add(path: JsonPointer, value: unknown): string | undefined {
    const token = path.at(-1);
    if (token === undefined) return this.set(path, value);
    const parent = this.parentOf(path);
    if (!Array.isArray(parent)) return this.set(path, value);
    const index = token === '-' ? parent.length : arrayIndex(token);
    if (index === undefined || index > parent.length) return 'there is no such place in the list';
    parent.splice(index, 0, value);
    return undefined;
  }

  private remove(path: JsonPointer): string | undefined {
    if (this.at(path) === ABSENT) return NOTHING_THERE;
    const token = path.at(-1);
    if (token === undefined) return 'the whole cannot be removed';
    const parent = this.parentOf(path) as unknown[] | JsonObject;
    if (Array.isArray(parent)) parent.splice(Number(token), 1);
    else delete parent[token];
    return undefined;
  }

  /** Puts a value where one is, or as a new member of an object. */
  private set(path: JsonPointer, value: unknown): string | undefined {
    const token = path.at(-1);
    if (token === undefined) {
      this.value = value;
      return undefined;
    }
    const parent = this.parentOf(path);
    if (Array.isArray(parent)) parent[Number(token)] = value;
    else if (isJsonObject(parent)) setMember(parent, token, value);
    else return 'there is no list or object to hold it';
    return undefined;
  }

  private copy(value: unknown, level = 0): unknown {
    if (typeof value !== 'object' || value === null || !this.mayVisit(level)) return value;
    if (Array.isArray(value)) {
      this.visitsLeft -= value.length;
      return this.visitsLeft < 0 ? value : value.map((item) => this.copy(item, level + 1));
    }
    const copy: JsonObject = {};
    for (const key of Object.keys(value)) {
      if (--this.visitsLeft < 0) break;
      setMember(copy, key, this.copy(memberOf(value as JsonObject, key), level + 1));
    }
    return copy;
  }

  /** Equality of RFC 6902 section 4.6: members in any order, numbers by value. */
  private equal(left: unknown, right: unknown, level = 0): boolean {
    if (left === right) return true;
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null)
      return false;
    if (!this.mayVisit(level)) return false;
    if (Array.isArray(left) || Array.isArray(right)) {
      if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
      this.visitsLeft -= left.length;
      return left.every((item, index) => this.equal(item, right[index], level + 1));
    }
    const keys = Object.keys(left);
    this.visitsLeft -= keys.length;
    if (keys.length !== Object.keys(right).length) return false;
    return keys.every(
      (key) =>
        Object.hasOwn(right, key) &&
        this.equal(memberOf(left as JsonObject, key), memberOf(right as JsonObject, key), level + 1),
    );
  }

  private mayVisit(level: number): boolean {
    this.visitsLeft = level > MOST_LEVELS ? -1 : this.visitsLeft - 1;
    return this.visitsLeft >= 0;
  }
}

function samePlace(left: JsonPointer, right: JsonPointer): boolean {
  return left.length === right.length && left.every((token, index) => token === right[index]);
}
