import {
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { LIMITS } from '#contracts';
import { whyNotAnId } from '../http/identifiers';

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
  return Buffer.byteLength(type) > LIMITS.typeBytes ? `must be at most ${LIMITS.typeBytes} bytes` : undefined;
}

/** A string of n characters has at most 3n bytes of UTF-8, so most need no counting. */
function fitsTag(text: string): boolean {
  return text.length * 3 <= LIMITS.tagBytes || Buffer.byteLength(text) <= LIMITS.tagBytes;
}

abstract class ReasonConstraint implements ValidatorConstraintInterface {
  protected abstract reason(value: unknown): string | undefined;

  validate(value: unknown): boolean {
    return this.reason(value) === undefined;
  }

  defaultMessage(argument: ValidationArguments): string {
    return this.reason(argument.value) ?? '';
  }
}

@ValidatorConstraint({ name: 'tags' })
export class TagsConstraint extends ReasonConstraint {
  protected reason = whyNotTags;
}

@ValidatorConstraint({ name: 'id' })
export class IdConstraint extends ReasonConstraint {
  protected reason(value: unknown): string | undefined {
    return typeof value === 'string' ? whyNotAnId(value) : 'must be a string';
  }
}

@ValidatorConstraint({ name: 'type' })
export class TypeConstraint extends ReasonConstraint {
  protected reason = whyNotAType;
}
