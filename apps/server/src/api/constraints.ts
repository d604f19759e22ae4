import {
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { LIMITS } from '#contracts';
import { whyNotAType, whyNotTags } from '#state-machine';
import { whyNotAnId } from '../http/identifiers';

/** What is wrong with the owner of a lease, or `undefined`. */
export function whyNotAnOwner(owner: unknown): string | undefined {
  if (typeof owner !== 'string' || owner.length === 0) return 'must be a string that is not empty';
  return Buffer.byteLength(owner) > LIMITS.leaseOwnerBytes
    ? `must be at most ${LIMITS.leaseOwnerBytes} bytes`
    : undefined;
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

@ValidatorConstraint({ name: 'owner' })
export class OwnerConstraint extends ReasonConstraint {
  protected reason = whyNotAnOwner;
}
