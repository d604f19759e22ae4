import { Controller, Delete, Get, HttpCode, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { pathParameter } from '../http/identifiers';
import { BODY_ERRORS } from '../api/parameters';
import { Describe } from '../openapi';
import { NewNodeDto, TransferLeaderDto } from './cluster-requests.dto';
import { ClusterService } from './cluster.service';
import { ClusterView, NewNodeView, RemovedNodeView, TransferView } from './cluster.view';

@ApiTags('admin')
@Controller('admin/cluster')
export class ClusterController {
  constructor(private readonly cluster: ClusterService) {}

  @Get()
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'The nodes and the groups of the cluster, as the node that is asked can see them',
    path: [],
    status: 200,
    answer: ClusterView,
  })
  view(): Promise<ClusterView> {
    return this.cluster.view();
  }

  @Post('nodes')
  @HttpCode(200)
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary:
      'What a new node must be started with to join; changes nothing, because nodes join by themselves',
    path: [],
    status: 200,
    answer: NewNodeView,
    body: NewNodeDto,
    errors: ['conflict', ...BODY_ERRORS],
  })
  newNode(@Req() request: FastifyRequest): Promise<NewNodeView> {
    return this.cluster.newNode(request.body);
  }

  @Delete('nodes/:node_id')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'Begin the removal of a node: it gives up its replicas one safe step at a time, then stops',
    path: [{ name: 'node_id', description: 'Name of the node', example: 'node-3' }],
    status: 200,
    answer: RemovedNodeView,
    errors: ['not_found', 'conflict'],
  })
  removeNode(@Req() request: FastifyRequest): Promise<RemovedNodeView> {
    return this.cluster.removeNode(pathParameter(request.params, 'node_id'));
  }

  @Post('transfer-leader')
  @HttpCode(200)
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'Ask the leader of a group to hand over to another voter; answered when it was asked',
    path: [],
    status: 200,
    answer: TransferView,
    body: TransferLeaderDto,
    errors: ['not_found', ...BODY_ERRORS],
  })
  transferLeader(@Req() request: FastifyRequest): Promise<TransferView> {
    return this.cluster.transferLeader(request.body);
  }
}
