import { Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Describe } from '../openapi';
import { SnapshotsService } from './snapshots.service';
import { ManifestView, SnapshotListView, SnapshotView, TrimmedView } from './snapshots.view';

@ApiTags('admin')
@Controller('admin')
export class SnapshotsController {
  constructor(private readonly snapshots: SnapshotsService) {}

  @Post('snapshot')
  @HttpCode(200)
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'Take a named snapshot on every node; answered once the node that is asked has it on disk',
    path: [],
    status: 200,
    answer: SnapshotView,
    errors: ['overloaded', 'not_ready', 'storage_full'],
  })
  take(): Promise<SnapshotView> {
    return this.snapshots.take();
  }

  @Get('snapshots')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'The snapshots that this node can be restored from',
    path: [],
    status: 200,
    answer: SnapshotListView,
  })
  list(): Promise<SnapshotListView> {
    return this.snapshots.list();
  }

  @Get('manifest')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'What this node has on its disk: segments of the log, groups, snapshots, bytes, format versions',
    path: [],
    status: 200,
    answer: ManifestView,
  })
  manifest(): Promise<ManifestView> {
    return this.snapshots.manifest();
  }

  @Post('trim-wal')
  @HttpCode(200)
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: "Let go of this node's log as far as a snapshot holds it",
    path: [],
    status: 200,
    query: [
      {
        name: 'snapshot_id',
        description: 'The snapshot that holds what goes',
        example: 'snap-01HQXVGZM8N3ZQ4Y5T6W7X8Y9Z',
      },
    ],
    answer: TrimmedView,
    errors: ['not_found', 'conflict'],
  })
  trim(@Req() request: FastifyRequest): Promise<TrimmedView> {
    return this.snapshots.trim(request.raw.url ?? '');
  }

  @Get('dump')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'The live objects at one point, one a line, of a namespace or of all that this node holds',
    path: [],
    status: 200,
    contentType: 'application/x-ndjson',
    query: [{ name: 'ns', description: 'Only this namespace', example: 'agent://demo' }],
    errors: ['not_ready'],
  })
  dump(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.snapshots.dump(request.raw.url ?? '', reply);
  }
}
