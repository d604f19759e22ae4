import { Controller, Get, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WatchService } from './watch.service';

@Controller('v1/:ns')
export class WatchController {
  constructor(private readonly watcher: WatchService) {}

  @Get('watch')
  @RouteConfig({ capability: 'WATCH' })
  watch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.watcher.watch(request, reply);
  }
}
