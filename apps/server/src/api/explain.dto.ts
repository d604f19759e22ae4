import { ApiProperty } from '@nestjs/swagger';
import { LIMITS } from '#contracts';
import { QueryDto } from './query.dto';

/** A query to be explained: its namespace, and what a query has. */
export class ExplainQueryDto extends QueryDto {
  @ApiProperty({ example: 'agent://demo' })
  ns!: string;
}

/** How a query is answered; for the documentation alone. */
export class QueryPlanView {
  @ApiProperty({
    example: 'field $.status',
    description: 'objects, changes, type, tag and its key, or field and its path',
  })
  index!: string;

  @ApiProperty({
    type: 'integer',
    description: `Rows to go through, counted up to ${LIMITS.scanObjects + 1}`,
  })
  rows_expected!: number;

  @ApiProperty({
    type: [String],
    description: 'Paths that the index does not decide, and that are compared in each of them',
  })
  compared_paths!: readonly string[];

  @ApiProperty({ type: [String], description: 'Those of which an index is not complete yet' })
  building_paths!: readonly string[];

  @ApiProperty({ description: 'Whether the query is answered without allow_scan' })
  allowed!: boolean;

  @ApiProperty({ type: 'integer', description: 'Rows that the first page went through just now' })
  rows_read!: number;

  @ApiProperty({ type: 'integer' })
  rows_returned!: number;
}
