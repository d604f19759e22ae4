import { Controller, Delete, Get, Post, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathParameter } from '../http/identifiers';
import { ObjectsService } from './objects.service';

@Controller('v1/:ns')
export class ObjectsController {
  constructor(private readonly objects: ObjectsService) {}

  @Post('objects')
  @RouteConfig({ capability: 'PUT' })
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.put(request, reply);
  }

  @Put('objects/:id')
  @RouteConfig({ capability: 'PUT' })
  put(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.put(request, reply, pathParameter(request.params, 'id'));
  }

  @Get('objects/:id')
  @RouteConfig({ capability: 'GET' })
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.get(request, reply);
  }

  @Delete('objects/:id')
  @RouteConfig({ capability: 'DELETE' })
  delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.delete(request, reply);
  }

  @Get('objects')
  @RouteConfig({ capability: 'GET' })
  list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.list(request, reply);
  }
}
