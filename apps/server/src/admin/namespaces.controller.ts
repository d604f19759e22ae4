import { Controller, Delete, Get, HttpCode, Put, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { BODY_ERRORS } from '../api/parameters';
import { pathParameter } from '../http/identifiers';
import { Describe } from '../openapi';
import { NamespaceSettingsDto } from './namespace-settings.dto';
import { NamespaceView } from './namespace.view';
import { NamespacesService } from './namespaces.service';

@ApiTags('admin')
@Controller('admin/namespaces')
export class NamespacesController {
  constructor(private readonly namespaces: NamespacesService) {}

  @Get()
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'The namespaces that were configured, in the order of their names',
    path: [],
    status: 200,
    answer: NamespaceView,
    isArray: true,
  })
  list(): Promise<NamespaceView[]> {
    return this.namespaces.list();
  }

  @Get(':ns')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'What is set for a namespace, and where it is',
    status: 200,
    answer: NamespaceView,
    errors: ['not_found'],
  })
  get(@Req() request: FastifyRequest): Promise<NamespaceView> {
    return this.namespaces.get(pathParameter(request.params, 'ns'));
  }

  @Put(':ns')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary:
      'Pin a namespace to regions, and bound it; what is left out is as if it were never set. Data it has moves along',
    status: 200,
    answer: NamespaceView,
    body: NamespaceSettingsDto,
    errors: ['conflict', 'not_ready', ...BODY_ERRORS],
  })
  set(@Req() request: FastifyRequest): Promise<NamespaceView> {
    return this.namespaces.set(pathParameter(request.params, 'ns'), request.body);
  }

  @Delete(':ns')
  @HttpCode(204)
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'Take the settings of a namespace back: it moves to the default placement, with its data',
    status: 204,
    errors: ['not_found', 'conflict'],
  })
  remove(@Req() request: FastifyRequest): Promise<void> {
    return this.namespaces.remove(pathParameter(request.params, 'ns'));
  }
}
