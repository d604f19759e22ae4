import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';

/** A rule that says what is wrong with a value: the same function checks requests and documents them. */
export abstract class ReasonConstraint implements ValidatorConstraintInterface {
  protected abstract reason(value: unknown): string | undefined;

  validate(value: unknown): boolean {
    return this.reason(value) === undefined;
  }

  defaultMessage(argument: ValidationArguments): string {
    return this.reason(argument.value) ?? '';
  }
}
