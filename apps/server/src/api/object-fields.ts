import { type FieldError, StateError } from '#contracts';

/** Says what is wrong with a value, or `undefined`. */
export type FieldRule = (value: unknown) => string | undefined;

/**
 * A JSON object with known fields, all optional unless they are named as required; `null` stands for absent, unknown
 * fields are refused.
 */
export class ObjectFields {
  private readonly rules: ReadonlyMap<string, FieldRule>;

  constructor(
    rules: Readonly<Record<string, FieldRule>>,
    private readonly required: readonly string[] = [],
  ) {
    this.rules = new Map(Object.entries(rules));
  }

  /** The checked object itself; only known fields may be read from it. Throws `invalid_request` or `invalid_json`. */
  read(body: unknown): Readonly<Record<string, unknown>> {
    const errors = this.errors(body);
    if (errors.length === 0) return body as Record<string, unknown>;
    if (body === undefined)
      throw new StateError('invalid_json', 'The body is empty: a JSON object is required.');
    const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    throw new StateError('invalid_request', detail, { errors });
  }

  /** What is wrong with the body; empty when nothing is. */
  errors(body: unknown): readonly FieldError[] {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return [{ field: 'body', reason: 'the request body must be a JSON object' }];
    }
    let errors: FieldError[] | undefined;
    for (const field in body) {
      const rule = this.rules.get(field);
      const value = (body as Record<string, unknown>)[field];
      const reason =
        rule === undefined ? 'is not a field of this request' : value === null ? undefined : rule(value);
      if (reason === undefined) continue;
      errors ??= [];
      if (errors.length < MAX_ERRORS) errors.push({ field: field.slice(0, MAX_FIELD_CHARACTERS), reason });
    }
    for (const field of this.required) {
      if (Object.hasOwn(body, field) && (body as Record<string, unknown>)[field] !== null) continue;
      errors ??= [];
      errors.push({ field, reason: 'is missing' });
    }
    return errors ?? NO_ERRORS;
  }
}

const NO_ERRORS: readonly FieldError[] = Object.freeze([]);
/** Enough to mend a request, and no more than a client can use. */
const MAX_ERRORS = 20;
const MAX_FIELD_CHARACTERS = 128;
