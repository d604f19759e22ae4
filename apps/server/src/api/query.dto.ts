import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
  Validate,
} from 'class-validator';
import { LIMITS } from '#contracts';
import { TagsConstraint, WhereConstraint } from './constraints';

export const QUERY_ORDERS = ['id', 'commit_seq', '-commit_seq'] as const;

/** What a client sends to query a namespace. All given conditions must hold. */
export class QueryDto {
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { priority: 'high' },
  })
  @IsOptional()
  @Validate(TagsConstraint)
  tags?: Readonly<Record<string, string>> | null;

  @ApiProperty({ required: false, example: 'task' })
  @IsOptional()
  @IsString()
  type?: string | null;

  @ApiProperty({ required: false, description: 'Beginning of the ids', example: 'task-' })
  @IsOptional()
  @IsString()
  prefix?: string | null;

  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: true,
    description:
      'Singular JSONPaths (RFC 9535) over the body, each with a value, or with eq, ne, gt, gte, lt, lte, in, exists',
    example: { '$.progress': { gte: 0, lt: 1 } },
  })
  @IsOptional()
  @Validate(WhereConstraint)
  where?: Readonly<Record<string, unknown>> | null;

  @ApiProperty({
    required: false,
    type: 'boolean',
    description: `Go through more than ${LIMITS.scanObjects} objects where no index helps`,
    example: true,
  })
  @IsOptional()
  @IsBoolean()
  allow_scan?: boolean | null;

  @ApiProperty({
    required: false,
    type: [String],
    description: 'Top-level keys of body to keep',
    example: ['status'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(LIMITS.queryFields)
  @IsString({ each: true })
  fields?: readonly string[] | null;

  @ApiProperty({ required: false, enum: QUERY_ORDERS, default: 'id' })
  @IsOptional()
  @IsIn(QUERY_ORDERS)
  order?: (typeof QUERY_ORDERS)[number] | null;

  @ApiProperty({
    required: false,
    minimum: 1,
    maximum: LIMITS.pageRows,
    default: LIMITS.pageRowsDefault,
    type: 'integer',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.pageRows)
  limit?: number | null;

  @ApiProperty({ required: false, description: 'X-Next-Cursor of the page before' })
  @IsOptional()
  @IsString()
  cursor?: string | null;
}
