import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { name } from '../config/value-forms';

const NAME = name('a name', 'node-1');

/** What is wrong with the name of a node or a region, or `undefined`: the rule is that of `NODE_ID` and `REGION`. */
export function whyNotAName(value: unknown): string | undefined {
  return typeof value === 'string' && NAME.parse(value) !== undefined ? undefined : `must be ${NAME.form}`;
}

@ValidatorConstraint({ name: 'name' })
export class NameConstraint implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return whyNotAName(value) === undefined;
  }

  defaultMessage(): string {
    return whyNotAName(undefined) ?? '';
  }
}
