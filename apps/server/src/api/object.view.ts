import { ApiProperty, PartialType } from '@nestjs/swagger';

/** An object as it is answered; for the documentation alone, because answers are stored bytes. */
export class ObjectView {
  @ApiProperty({ example: 'task-1' })
  id!: string;

  @ApiProperty({ example: 'agent://demo' })
  ns!: string;

  @ApiProperty({ example: 'task' })
  type!: string;

  @ApiProperty({
    description: 'Any JSON value',
    example: { status: 'running', progress: 0.1 },
    type: Object,
    nullable: true,
  })
  body!: unknown;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { priority: 'high' } })
  tags!: Readonly<Record<string, string>>;

  @ApiProperty({ required: false, type: 'integer', example: 3600 })
  ttl_seconds?: number;

  @ApiProperty({ required: false, format: 'date-time', example: '2026-11-23T10:00:00.000Z' })
  expires_at?: string;

  @ApiProperty({ type: [String], example: [] })
  parents!: readonly string[];

  @ApiProperty({ description: 'Hex digest over content and parents' })
  commit!: string;

  @ApiProperty({ type: 'integer', example: 12, description: 'Position of this version; also the ETag' })
  commit_seq!: number;

  @ApiProperty({ type: 'integer', example: 12, description: 'Position at which the object was made' })
  created_seq!: number;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T09:00:00.000Z' })
  ts!: string;
}

/** One version in an object's history: the object as it was, or where it was deleted. */
export class VersionView extends PartialType(ObjectView) {
  @ApiProperty({ required: false, description: 'true where the object was deleted or expired' })
  deleted?: boolean;

  @ApiProperty({ required: false, enum: ['delete', 'expired'], description: 'With deleted' })
  reason?: string;
}
