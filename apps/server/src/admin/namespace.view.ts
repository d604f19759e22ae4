import { ApiProperty } from '@nestjs/swagger';

/** A namespace that an operator has configured. What is null is as for one that nobody has. */
export class NamespaceView {
  @ApiProperty({ example: 'agent://demo' })
  ns!: string;

  @ApiProperty({
    type: [String],
    nullable: true,
    example: ['local'],
    description: 'Regions that alone may hold it, serve it or carry it; null: any',
  })
  regions!: readonly string[] | null;

  @ApiProperty({ type: 'integer', example: 3, description: 'Voting replicas that it should have' })
  replicas!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: {},
    description: 'Further replicas by region that only answer reads',
  })
  read_replicas!: Readonly<Record<string, number>>;

  @ApiProperty({ type: 'integer', nullable: true, example: 500 })
  max_qps!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 65_536 })
  max_bytes!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  history_retention_seconds!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  history_retention_commits!: number | null;

  @ApiProperty({
    type: [String],
    example: ['$.status', '$.owner.id'],
    description: 'Places in bodies that queries find objects by',
  })
  indexes!: readonly string[];

  @ApiProperty({
    type: [String],
    nullable: true,
    example: ['$.owner.id'],
    description: 'Those that are not complete yet, and so not used; null where this node cannot tell now',
  })
  indexes_building!: readonly string[] | null;

  @ApiProperty({ type: 'integer', example: 2, description: 'The group that serves it' })
  group_id!: number;

  @ApiProperty({
    enum: ['active', 'moving', 'erasing'],
    example: 'active',
    description:
      'moving: it is on its way to the group of its settings; erasing: it is there, and its bytes may still be where it was',
  })
  state!: string;

  @ApiProperty({
    example: false,
    description: 'Whether there are fewer nodes in its regions than it should have replicas',
  })
  under_replicated!: boolean;
}
