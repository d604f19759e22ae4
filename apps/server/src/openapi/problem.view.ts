import { ApiProperty } from '@nestjs/swagger';
import { ERROR_CODES } from '#contracts';

/** One field of a request and what is wrong with it. */
export class FieldErrorView {
  @ApiProperty({ example: 'ttl_seconds' })
  field!: string;

  @ApiProperty({ example: 'must be a whole number from 1 to 3155760000' })
  reason!: string;
}

/** An error as it is answered (RFC 9457); for the documentation alone. */
export class ProblemView {
  @ApiProperty({ example: 'urn:agentstate:error:invalid_request' })
  type!: string;

  @ApiProperty({ example: 'The request is not valid' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  status!: number;

  @ApiProperty({ example: 'ttl_seconds: must be a whole number from 1 to 3155760000' })
  detail!: string;

  @ApiProperty({ enum: ERROR_CODES, enumName: 'ErrorCode', example: 'invalid_request' })
  code!: string;

  @ApiProperty({ example: 'kWpzQ0a1-7' })
  request_id!: string;

  @ApiProperty({ required: false, type: [FieldErrorView] })
  errors?: readonly FieldErrorView[];

  @ApiProperty({ required: false, type: 'integer', description: 'With compacted' })
  first_available?: number;

  @ApiProperty({ required: false, type: 'integer', description: 'With precondition_failed' })
  current_commit_seq?: number;

  @ApiProperty({ required: false, type: 'integer', description: 'With payload_too_large' })
  limit_bytes?: number;

  @ApiProperty({ required: false, description: 'With lease_held and lease_lost: who holds it' })
  owner?: string;

  @ApiProperty({ required: false, format: 'date-time', description: 'With lease_held and lease_lost' })
  expires_at?: string;

  @ApiProperty({ required: false, description: 'With region_not_allowed' })
  region?: string;

  @ApiProperty({ required: false, type: [String], description: 'With region_not_allowed' })
  allowed_regions?: readonly string[];
}
