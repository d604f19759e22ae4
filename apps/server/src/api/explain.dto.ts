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
  @ApiProperty({ example: 'tag priority', description: 'objects, changes, type, or tag and its key' })
  index!: string;

  @ApiProperty({
    type: 'integer',
    description: `Objects to look at, counted up to ${LIMITS.scanObjects + 1}`,
  })
  rows_expected!: number;

  @ApiProperty({ type: [String], description: 'Paths that are compared in each of them' })
  compared_paths!: readonly string[];

  @ApiProperty({ description: 'Whether the query is answered without allow_scan' })
  allowed!: boolean;

  @ApiProperty({ type: 'integer', description: 'Objects that the first page looked at just now' })
  rows_read!: number;

  @ApiProperty({ type: 'integer' })
  rows_returned!: number;
}
