import { Controller, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Describe } from '../openapi';
import { BatchDto, BatchView } from './batch.dto';
import { ObjectsService } from './objects.service';
import { BODY_ERRORS, FENCE_HEADERS, IDEMPOTENCY_HEADERS, WRITE_ERRORS } from './parameters';

@ApiTags('objects')
@Controller('v1/:ns')
export class BatchController {
  constructor(private readonly objects: ObjectsService) {}

  @Post('batch')
  @RouteConfig({ capability: 'PUT' })
  @Describe({
    summary: 'Several writes and checks at one position: all happen, or none does',
    status: 200,
    answer: BatchView,
    body: BatchDto,
    headers: [...FENCE_HEADERS, ...IDEMPOTENCY_HEADERS],
    errors: [...BODY_ERRORS, ...WRITE_ERRORS, 'not_found', 'conflict'],
  })
  batch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.batch(request, reply);
  }
}
