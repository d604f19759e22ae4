import { ApiTags } from '@nestjs/swagger';
import { Controller, Delete, Get, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathParameter } from '../http/identifiers';
import { Describe } from '../openapi';
import { ObjectView } from './object.view';
import { ObjectsService } from './objects.service';
import { BODY_ERRORS, CONSISTENCY_QUERY, PAGE_QUERY, WRITE_ERRORS, WRITE_HEADERS } from './parameters';
import { JsonPatchOperationDto, MergePatchDto } from './patch.dto';
import { PutObjectDto } from './put-object.dto';
import { PATCH_MEDIA_TYPES } from './read-patch';

@ApiTags('objects')
@Controller('v1/:ns')
export class ObjectsController {
  constructor(private readonly objects: ObjectsService) {}

  @Post('objects')
  @RouteConfig({ capability: 'PUT' })
  @Describe({
    summary: 'Put an object whose id is in the body, or made',
    status: 200,
    answer: ObjectView,
    body: PutObjectDto,
    headers: WRITE_HEADERS,
    errors: [...BODY_ERRORS, ...WRITE_ERRORS],
  })
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.put(request, reply);
  }

  @Put('objects/:id')
  @RouteConfig({ capability: 'PUT' })
  @Describe({
    summary: 'Put an object',
    hasId: true,
    status: 200,
    answer: ObjectView,
    body: PutObjectDto,
    headers: WRITE_HEADERS,
    errors: [...BODY_ERRORS, ...WRITE_ERRORS],
  })
  put(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.put(request, reply, pathParameter(request.params, 'id'));
  }

  @Patch('objects/:id')
  @RouteConfig({ capability: 'PUT', mediaTypes: Object.values(PATCH_MEDIA_TYPES) })
  @Describe({
    summary: 'Change parts of an object, as it is when the patch is applied',
    hasId: true,
    status: 200,
    answer: ObjectView,
    patches: { merge: MergePatchDto, json: JsonPatchOperationDto },
    headers: WRITE_HEADERS,
    errors: [...BODY_ERRORS, ...WRITE_ERRORS, 'not_found', 'conflict'],
  })
  patch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.patch(request, reply);
  }

  @Get('objects/:id')
  @RouteConfig({ capability: 'GET' })
  @Describe({
    summary: 'Get an object',
    hasId: true,
    status: 200,
    answer: ObjectView,
    query: CONSISTENCY_QUERY,
    errors: ['not_found'],
  })
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.get(request, reply);
  }

  @Delete('objects/:id')
  @RouteConfig({ capability: 'DELETE' })
  @Describe({
    summary: 'Delete an object',
    hasId: true,
    status: 204,
    headers: WRITE_HEADERS,
    errors: ['not_found', ...WRITE_ERRORS],
  })
  delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.delete(request, reply);
  }

  @Get('objects')
  @RouteConfig({ capability: 'GET' })
  @Describe({
    summary: 'List objects in id order',
    status: 200,
    answer: ObjectView,
    isArray: true,
    query: [...PAGE_QUERY, ...CONSISTENCY_QUERY],
  })
  list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.objects.list(request, reply);
  }
}
