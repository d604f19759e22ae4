import { Controller, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ObjectsService } from './objects.service';

@Controller('v1/:ns')
export class QueryController {
  constructor(private readonly objects: ObjectsService) {}

  @Post('query')
  @RouteConfig({ capability: 'GET' })
  query(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.query(request, reply);
  }
}
