import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RESERVED_NAMESPACE_PREFIX } from '#contracts';
import type { Engine } from '#replication';
import { Authorizer } from '../auth';
import { invalidField } from '../errors';
import { checkNamespace } from '../http/identifiers';
import { Describe } from '../openapi';
import { ENGINE } from '../replication';
import { rejection } from './answers';
import { ExplainQueryDto, QueryPlanView } from './explain.dto';
import { BODY_ERRORS } from './parameters';
import { readQuery } from './read-query';
import { READ_TIMEOUT } from './timeouts';

@ApiTags('admin')
@Controller('admin')
export class ExplainController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly authorizer: Authorizer,
  ) {}

  @Post('explain-query')
  @RouteConfig({ capability: 'ADMIN' })
  @Describe({
    summary: 'How a query is answered, and what its first page takes',
    path: [],
    status: 200,
    answer: QueryPlanView,
    body: ExplainQueryDto,
    errors: BODY_ERRORS,
  })
  async explain(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { ns: named, ...body } = (request.body ?? {}) as Record<string, unknown>;
    if (typeof named !== 'string') throw invalidField('ns', 'must be the namespace to query');
    const ns = checkNamespace(named);
    if (ns.startsWith(RESERVED_NAMESPACE_PREFIX)) throw invalidField('ns', 'is reserved');
    this.authorizer.refuseOutside(ns, 'ADMIN');
    const { outcome } = await this.engine.read(
      { kind: 'explain', ns, query: readQuery(ns, body) },
      { consistency: { kind: 'linearizable' }, timeoutMs: READ_TIMEOUT.timeoutMs },
    );
    if (outcome.kind === 'rejected') throw rejection(outcome);
    if (outcome.kind !== 'plan')
      throw new Error(`a plan was asked for, and the engine answered ${outcome.kind}`);
    const { index, rowsExpected, comparedPaths, buildingPaths, isAllowed, rowsRead, rowsReturned } =
      outcome.plan;
    reply.header('content-type', 'application/json; charset=utf-8');
    reply.code(200).send(
      JSON.stringify({
        index,
        rows_expected: rowsExpected,
        compared_paths: comparedPaths,
        building_paths: buildingPaths,
        allowed: isAllowed,
        rows_read: rowsRead,
        rows_returned: rowsReturned,
      }),
    );
  }
}
