import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min, Validate } from 'class-validator';
import { LIMITS } from '#contracts';
import { IndexesConstraint, ReadReplicasConstraint, RegionsConstraint } from './namespace-constraints';

/** The largest number of requests, seconds or commits that may be set: about what a number holds exactly. */
export const SETTING_MAX = 1_000_000_000_000;

/** What an operator sets for a namespace, whole. `read-namespace-settings.ts` checks by the same rules; a test compares. */
export class NamespaceSettingsDto {
  @ApiProperty({
    required: false,
    type: [String],
    nullable: true,
    example: ['local'],
    description: 'Regions that alone may hold it, serve it or carry it; null: any',
  })
  @IsOptional()
  @Validate(RegionsConstraint)
  regions?: readonly string[] | null;

  @ApiProperty({
    required: false,
    type: 'integer',
    nullable: true,
    minimum: 1,
    maximum: LIMITS.placementReplicas,
    example: 3,
    description: 'Voting replicas; null: DEFAULT_REPLICAS',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.placementReplicas)
  replicas?: number | null;

  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: { type: 'integer' },
    nullable: true,
    example: {},
    description: 'Further replicas by region that only answer reads',
  })
  @IsOptional()
  @Validate(ReadReplicasConstraint)
  read_replicas?: Readonly<Record<string, number>> | null;

  @ApiProperty({
    required: false,
    type: 'integer',
    nullable: true,
    minimum: 1,
    maximum: SETTING_MAX,
    example: 500,
    description: 'Requests a second that each node takes; null: no limit of its own',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(SETTING_MAX)
  max_qps?: number | null;

  @ApiProperty({
    required: false,
    type: 'integer',
    nullable: true,
    minimum: 1,
    maximum: SETTING_MAX,
    example: 65_536,
    description: "Bytes of one request's body; null: MAX_BODY_BYTES",
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(SETTING_MAX)
  max_bytes?: number | null;

  @ApiProperty({
    required: false,
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: SETTING_MAX,
    example: 86_400,
    description: 'How long history is kept; null: HISTORY_RETENTION_SECONDS',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(SETTING_MAX)
  history_retention_seconds?: number | null;

  @ApiProperty({
    required: false,
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: SETTING_MAX,
    example: 1_000_000,
    description: 'How many commits of its group history reaches back; null: HISTORY_RETENTION_COMMITS',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(SETTING_MAX)
  history_retention_commits?: number | null;

  @ApiProperty({
    required: false,
    type: [String],
    nullable: true,
    maxItems: LIMITS.fieldIndexes,
    example: ['$.status', '$.owner.id'],
    description:
      'Places in bodies to index, as singular JSONPaths (RFC 9535), for the where of queries; null: none',
  })
  @IsOptional()
  @Validate(IndexesConstraint)
  indexes?: readonly string[] | null;
}
