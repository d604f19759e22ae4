import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import {
  Validate,
  ValidatorConstraint,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { LIMITS } from '#contracts';
import { ObjectView } from './object.view';
import { whyNotOps } from './read-batch';

@ValidatorConstraint({ name: 'ops' })
class OpsConstraint implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return whyNotOps(value) === undefined;
  }

  defaultMessage({ value }: ValidationArguments): string {
    return whyNotOps(value) ?? '';
  }
}

/** What a client sends to change several objects at once; each operation is checked by `read-batch.ts`. */
export class BatchDto {
  @ApiProperty({
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.batchOperations,
    description:
      'Each id once. put: the fields of a put. patch: an object (merge patch) or a list (JSON Patch) in `patch`. ' +
      'check: without conditions the object must exist. `if_match` is a commit_seq, `if_none_match` is true.',
    items: {
      type: 'object',
      required: ['op'],
      properties: {
        op: { type: 'string', enum: ['put', 'patch', 'delete', 'check'] },
        id: { type: 'string' },
        if_match: { type: 'integer' },
        if_none_match: { type: 'boolean' },
      },
      additionalProperties: true,
    },
    example: [
      { op: 'put', id: 'task-2', type: 'task', body: { status: 'open' }, if_none_match: true },
      { op: 'patch', id: 'task-1', patch: { body: { status: 'done' } } },
    ],
  })
  @Validate(OpsConstraint)
  ops!: readonly Readonly<Record<string, unknown>>[];
}

/** What a batch is answered with; for the documentation alone. */
export class BatchView {
  @ApiProperty({ type: 'integer', example: 12, description: 'The one position of all changes' })
  commit_seq!: number;

  @ApiProperty({
    type: 'array',
    description: 'In the order of the operations: the object, or its id with deleted or checked',
    items: {
      oneOf: [
        { $ref: getSchemaPath(ObjectView) },
        {
          type: 'object',
          properties: {
            id: { type: 'string' },
            deleted: { type: 'boolean' },
            checked: { type: 'boolean' },
            commit_seq: { type: 'integer' },
          },
        },
      ],
    },
  })
  results!: readonly unknown[];
}
