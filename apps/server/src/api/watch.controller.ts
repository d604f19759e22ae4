import { Controller, Get, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Describe } from '../openapi';
import { WATCH_QUERY } from './parameters';
import { WatchService } from './watch.service';

@ApiTags('watch')
@Controller('v1/:ns')
export class WatchController {
  constructor(private readonly watcher: WatchService) {}

  @Get('watch')
  @RouteConfig({ capability: 'WATCH' })
  @Describe({
    summary: 'Watch the changes of a namespace as server-sent events',
    status: 200,
    contentType: 'text/event-stream',
    query: WATCH_QUERY,
    headers: [{ name: 'Last-Event-ID', description: 'Resume after this position' }],
    errors: ['compacted', 'too_many_watchers'],
  })
  watch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.watcher.watch(request, reply);
  }
}
