import { ApiProperty } from '@nestjs/swagger';

/** A JSON Merge Patch of an object; for the documentation alone: what it may come to is the state machine's to say. */
export class MergePatchDto {
  @ApiProperty({ required: false, nullable: true, example: 'task' })
  type?: string | null;

  @ApiProperty({ required: false, nullable: true, type: Object, example: { status: 'done', progress: null } })
  body?: unknown;

  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    example: { priority: null },
  })
  tags?: Readonly<Record<string, string | null>> | null;

  @ApiProperty({ required: false, nullable: true, type: 'integer', example: 3600 })
  ttl_seconds?: number | null;
}

/** One operation of a JSON Patch; for the documentation alone. */
export class JsonPatchOperationDto {
  @ApiProperty({ enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'], example: 'add' })
  op!: string;

  @ApiProperty({ example: '/body/status', description: 'JSON Pointer over {type, body, tags, ttl_seconds}' })
  path!: string;

  @ApiProperty({ required: false, description: 'With move and copy' })
  from?: string;

  @ApiProperty({ required: false, description: 'With add, replace and test', type: Object, example: 'done' })
  value?: unknown;
}
