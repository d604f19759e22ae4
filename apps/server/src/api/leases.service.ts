import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type LeaseCommand, StateError } from '#contracts';
import type { Engine } from '#replication';
import { checkId, pathParameter } from '../http/identifiers';
import { queryParameters } from '../http/query-string';
import { ENGINE } from '../replication';
import { rejection, sendDeleted, sendLease } from './answers';
import { CONSISTENCY_PARAMETERS, consistencyOf } from './consistency';
import { EngineWrites } from './engine-writes';
import { OperationTimer } from './operation-timer';
import { refuseConditions } from './preconditions';
import { readLease } from './read-lease';
import { accessOf } from './request-access';
import { READ_TIMEOUT } from './timeouts';

const GET_PARAMETERS = new Set(CONSISTENCY_PARAMETERS);
const CONDITIONS = ['if-match', 'if-none-match', 'if-resource', 'if-fence'] as const;

/** Turns requests about leases into the engine's commands and reads. */
@Injectable()
export class LeasesService {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly writes: EngineWrites,
    private readonly timer: OperationTimer,
  ) {}

  change(action: LeaseCommand['action'], request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run(`lease_${action}`, async () => {
      queryParameters(request.raw.url ?? '', () => false);
      refuseConditions(
        request.headers,
        CONDITIONS,
        'is for objects: what holds a lease is token in the body',
      );
      const lease = readLease(action, request.body);
      const { commitSeq, results } = await this.writes.lease({ request, reply }, lease);
      const result = results[0];
      if (result?.kind === 'lease') sendLease(reply, result.lease, commitSeq);
      else sendDeleted(reply, commitSeq);
    });
  }

  get(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('lease_get', async () => {
      const parameters = queryParameters(request.raw.url ?? '', (name) => GET_PARAMETERS.has(name));
      const key = checkId(pathParameter(request.params, 'key'), 'key');
      const { outcome, commitSeq } = await this.engine.read(
        { kind: 'lease', ns: accessOf(request).ns, key },
        { consistency: consistencyOf(parameters), timeoutMs: READ_TIMEOUT.timeoutMs },
      );
      if (outcome.kind === 'rejected') throw rejection(outcome);
      if (outcome.kind !== 'lease') throw new StateError('not_found', 'Nobody holds this lease.');
      sendLease(reply, outcome.lease, commitSeq);
    });
  }
}
