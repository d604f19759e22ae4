import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min, Validate } from 'class-validator';
import { NameConstraint } from './node-name';

/** The number of groups is bounded by what stands on the wire: 32 bits. */
export const GROUP_ID_MAX = 0xffff_ffff;

/** Hands the leadership of a group over. `read-cluster-requests.ts` checks by the same rules; a test compares. */
export class TransferLeaderDto {
  @ApiProperty({ type: 'integer', minimum: 0, maximum: GROUP_ID_MAX, example: 1 })
  @IsInt()
  @Min(0)
  @Max(GROUP_ID_MAX)
  group_id!: number;

  @ApiProperty({ example: 'node-2', description: 'The node that shall lead; a voter of the group' })
  @Validate(NameConstraint)
  node_id!: string;
}

/** Asks what a new node must be started with. */
export class NewNodeDto {
  @ApiProperty({ required: false, type: String, example: 'node-4', description: 'The name it shall have' })
  @IsOptional()
  @Validate(NameConstraint)
  node_id?: string | null;

  @ApiProperty({
    required: false,
    type: String,
    example: 'eu-west-1',
    description: 'The region it shall be in',
  })
  @IsOptional()
  @Validate(NameConstraint)
  region?: string | null;
}
