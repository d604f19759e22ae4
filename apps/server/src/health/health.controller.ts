import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Engine } from '#replication';
import { Lifecycle } from '../lifecycle';
import { ENGINE } from '../replication';
import { readinessOf } from './readiness';

@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** Liveness: the process answers, whatever its group does. */
  @Get('health')
  async health(@Res() reply: FastifyReply): Promise<void> {
    await reply.type('text/plain; charset=utf-8').send('ok');
  }

  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { isReady, report } = readinessOf(this.engine.readiness(), this.lifecycle);
    await reply
      .status(isReady ? 200 : 503)
      .type('application/json')
      .send(JSON.stringify(report));
  }
}
