import { ValidatorConstraint } from 'class-validator';
import { LIMITS } from '#contracts';
import { parseWhere, whyNotAType, whyNotTags } from '#state-machine';
import { whyNotAnId } from '../http/identifiers';
import { ReasonConstraint } from './reason-constraint';

/** What is wrong with the owner of a lease, or `undefined`. */
export function whyNotAnOwner(owner: unknown): string | undefined {
  if (typeof owner !== 'string' || owner.length === 0) return 'must be a string that is not empty';
  return Buffer.byteLength(owner) > LIMITS.leaseOwnerBytes
    ? `must be at most ${LIMITS.leaseOwnerBytes} bytes`
    : undefined;
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

@ValidatorConstraint({ name: 'where' })
export class WhereConstraint extends ReasonConstraint {
  protected reason(value: unknown): string | undefined {
    const parsed = parseWhere(value);
    return parsed.kind === 'malformed' ? `${parsed.error.field}: ${parsed.error.reason}` : undefined;
  }
}
