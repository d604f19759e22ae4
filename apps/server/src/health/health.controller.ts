import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Engine } from '#replication';
import { Lifecycle } from '../lifecycle';
import { ENGINE } from '../replication';
import { ALIVE, type ProbeAnswer, readinessAnswer } from './probe-answers';

@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Get('health')
  async health(@Res() reply: FastifyReply): Promise<void> {
    await send(ALIVE, reply);
  }

  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    await send(readinessAnswer(this.engine.readiness(), this.lifecycle), reply);
  }
}

async function send({ status, contentType, text }: ProbeAnswer, reply: FastifyReply): Promise<void> {
  await reply.status(status).type(contentType).send(text);
}
