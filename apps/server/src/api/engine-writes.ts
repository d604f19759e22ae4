import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CommandOutcome, LeaseCommand, Operation, WriteCommand } from '#contracts';
import type { Engine } from '#replication';
import { ENGINE } from '../replication';
import { rejection } from './answers';
import { accessOf } from './request-access';
import { WRITE_TIMEOUT } from './timeouts';
import { fenceOf, idempotencyOf } from './write-guards';

type Done = Extract<CommandOutcome, { kind: 'done' }>;

/** Hands commands of clients to the engine, under the guards that their headers ask for. */
@Injectable()
export class EngineWrites {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  /**
   * Writes; throws what the state machine refused. `asked` is what the client itself said, where ids were made for
   * it: a retry has other ones, and is still the same request.
   */
  async write(
    exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply },
    operations: readonly Operation[],
    asked: readonly Operation[] = operations,
  ): Promise<Done> {
    const { ns } = accessOf(exchange.request);
    const { headers } = exchange.request;
    const command: WriteCommand = {
      kind: 'write',
      ns,
      operations,
      idempotency: idempotencyOf(headers, { kind: 'write', ns, operations: asked }),
      fence: fenceOf(headers),
    };
    return this.run(exchange.reply, command);
  }

  lease(
    { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
    lease: Omit<LeaseCommand, 'kind' | 'ns'>,
  ): Promise<Done> {
    const command: LeaseCommand = { kind: 'lease', ns: accessOf(request).ns, ...lease };
    return this.run(reply, { ...command, idempotency: idempotencyOf(request.headers, command) });
  }

  private async run(reply: FastifyReply, command: WriteCommand | LeaseCommand): Promise<Done> {
    const outcome = await this.engine.write(command, WRITE_TIMEOUT);
    if (outcome.replayed) reply.header('idempotency-replayed', 'true');
    if (outcome.kind === 'rejected') throw rejection(outcome);
    return outcome;
  }
}
