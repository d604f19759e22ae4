import { ApiProperty } from '@nestjs/swagger';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  Validate,
} from 'class-validator';
import { LIMITS } from '#contracts';
import { IdConstraint, TagsConstraint, TypeConstraint } from './constraints';

/** What a client sends to put an object. `read-put-object.ts` checks it by the same rules, faster; a test compares. */
export class PutObjectDto {
  @ApiProperty({ required: false, example: 'task-1', description: 'Made by the server (a ULID) when absent' })
  @IsOptional()
  @Validate(IdConstraint)
  id?: string | null;

  @ApiProperty({ required: false, example: 'task', default: 'object', maxLength: LIMITS.typeBytes })
  @IsOptional()
  @Validate(TypeConstraint)
  type?: string | null;

  @ApiProperty({
    required: false,
    description: 'Any JSON value',
    example: { status: 'running', progress: 0.1 },
    type: Object,
    nullable: true,
  })
  @Allow()
  body?: unknown;

  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { type: 'task', priority: 'high' },
  })
  @IsOptional()
  @Validate(TagsConstraint)
  tags?: Readonly<Record<string, string>> | null;

  @ApiProperty({ required: false, minimum: 1, maximum: LIMITS.ttlSeconds, example: 3600, type: 'integer' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.ttlSeconds)
  ttl_seconds?: number | null;

  @ApiProperty({ required: false, type: [String], example: [], maxItems: LIMITS.parents })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(LIMITS.parents)
  @IsString({ each: true })
  @Length(1, LIMITS.parentCharacters, { each: true })
  parents?: readonly string[] | null;
}
