import { Controller, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Describe } from '../openapi';
import { ObjectView } from './object.view';
import { ObjectsService } from './objects.service';
import { BODY_ERRORS, CONSISTENCY_QUERY } from './parameters';
import { QueryDto } from './query.dto';

@ApiTags('objects')
@Controller('v1/:ns')
export class QueryController {
  constructor(private readonly objects: ObjectsService) {}

  @Post('query')
  @RouteConfig({ capability: 'GET' })
  @Describe({
    summary: 'Query objects by tags, type, prefix and what is in their bodies (where)',
    status: 200,
    answer: ObjectView,
    isArray: true,
    body: QueryDto,
    query: CONSISTENCY_QUERY,
    errors: BODY_ERRORS,
  })
  query(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.query(request, reply);
  }
}
