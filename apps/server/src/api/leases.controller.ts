import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Describe } from '../openapi';
import { AcquireLeaseDto, LeaseView, ReleaseLeaseDto, RenewLeaseDto } from './lease.dto';
import { LeasesService } from './leases.service';
import { BODY_ERRORS, CONSISTENCY_QUERY, IDEMPOTENCY_HEADERS, LEASE_PATH } from './parameters';

@ApiTags('leases')
@Controller('v1/:ns/lease')
export class LeasesController {
  constructor(private readonly leases: LeasesService) {}

  @Post('acquire')
  @RouteConfig({ capability: 'LEASE' })
  @Describe({
    summary: 'Take a lease that nobody else holds; its owner gets a new token',
    status: 200,
    answer: LeaseView,
    body: AcquireLeaseDto,
    headers: IDEMPOTENCY_HEADERS,
    errors: [...BODY_ERRORS, 'lease_held', 'idempotency_key_reused', 'overloaded', 'storage_full'],
  })
  acquire(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.leases.change('acquire', request, reply);
  }

  @Post('renew')
  @RouteConfig({ capability: 'LEASE' })
  @Describe({
    summary: 'Hold a lease for another ttl seconds from now',
    status: 200,
    answer: LeaseView,
    body: RenewLeaseDto,
    headers: IDEMPOTENCY_HEADERS,
    errors: [...BODY_ERRORS, 'lease_lost', 'idempotency_key_reused', 'overloaded'],
  })
  renew(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.leases.change('renew', request, reply);
  }

  @Post('release')
  @RouteConfig({ capability: 'LEASE' })
  @Describe({
    summary: 'Give up a lease',
    status: 204,
    body: ReleaseLeaseDto,
    headers: IDEMPOTENCY_HEADERS,
    errors: [...BODY_ERRORS, 'lease_lost', 'idempotency_key_reused', 'overloaded'],
  })
  release(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.leases.change('release', request, reply);
  }

  @Get(':key')
  @RouteConfig({ capability: 'LEASE' })
  @Describe({
    summary: 'Who holds a lease; 404 when nobody does',
    path: LEASE_PATH,
    status: 200,
    answer: LeaseView,
    query: CONSISTENCY_QUERY,
    errors: ['not_found'],
  })
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.leases.get(request, reply);
  }
}
