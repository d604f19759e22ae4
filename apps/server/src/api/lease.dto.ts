import { ApiProperty, PickType } from '@nestjs/swagger';
import { IsInt, Max, Min, Validate } from 'class-validator';
import { LIMITS } from '#contracts';
import { IdConstraint, OwnerConstraint } from './constraints';

/** All that a request about a lease may say; `read-lease.ts` checks it by the same rules, and a test compares. */
class LeaseFields {
  @ApiProperty({ example: 'task-1', description: 'Any name; the same rules as for ids' })
  @Validate(IdConstraint)
  key!: string;

  @ApiProperty({ example: 'worker-7' })
  @Validate(OwnerConstraint)
  owner!: string;

  @ApiProperty({
    type: 'integer',
    example: 12,
    description: 'The fencing token under which the lease is held',
  })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  token!: number;

  @ApiProperty({
    type: 'integer',
    minimum: LIMITS.leaseMinSeconds,
    maximum: LIMITS.leaseMaxSeconds,
    example: 30,
    description: 'Seconds',
  })
  @IsInt()
  @Min(LIMITS.leaseMinSeconds)
  @Max(LIMITS.leaseMaxSeconds)
  ttl!: number;
}

export class AcquireLeaseDto extends PickType(LeaseFields, ['key', 'owner', 'ttl']) {}
export class RenewLeaseDto extends PickType(LeaseFields, ['key', 'owner', 'token', 'ttl']) {}
export class ReleaseLeaseDto extends PickType(LeaseFields, ['key', 'owner', 'token']) {}

/** A lease as it is answered; for the documentation alone. */
export class LeaseView {
  @ApiProperty({ example: 'task-1' })
  key!: string;

  @ApiProperty({ example: 'worker-7' })
  owner!: string;

  @ApiProperty({ type: 'integer', example: 12, description: 'The fencing token: it only grows' })
  token!: number;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T09:00:30.000Z' })
  expires_at!: string;
}
