import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { monotonicFactory } from 'ulid';
import { LIMITS, StateError } from '#contracts';
import type { Engine } from '#replication';
import { invalidField } from '../errors';
import { mediaTypeOf } from '../http/body-parser';
import { checkId, pathParameter } from '../http/identifiers';
import { queryParameters, wholeNumberParameter } from '../http/query-string';
import { ENGINE } from '../replication';
import { rejection, sendBatch, sendDeleted, sendObject, sendPage } from './answers';
import { checkOperations } from './batch-access';
import { CONSISTENCY_PARAMETERS, consistencyOf } from './consistency';
import { EngineWrites } from './engine-writes';
import { OperationTimer } from './operation-timer';
import { preconditionsOf } from './preconditions';
import { readBatch } from './read-batch';
import { PATCH_MEDIA_TYPES, readPatch } from './read-patch';
import { readPutObject } from './read-put-object';
import { readQuery } from './read-query';
import { accessOf } from './request-access';
import { READ_TIMEOUT } from './timeouts';

const GET_PARAMETERS = new Set(CONSISTENCY_PARAMETERS);
const HISTORY_PARAMETERS = new Set(['at', 'at_seq']);
const LIST_PARAMETERS = new Set([...CONSISTENCY_PARAMETERS, 'prefix', 'limit', 'cursor']);

/** Turns requests about objects into the engine's commands and reads, and what they came to into answers. */
@Injectable()
export class ObjectsService {
  private readonly makeId = monotonicFactory();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly writes: EngineWrites,
    private readonly timer: OperationTimer,
  ) {}

  /** `POST` (the id is in the body, or made) and `PUT` (the id is in the path). */
  put(request: FastifyRequest, reply: FastifyReply, pathId?: string): Promise<void> {
    return this.timer.run('put', async () => {
      refuseParameters(request);
      let isIdMade = false;
      const operation = readPutObject(request.body, {
        pathId: pathId === undefined ? undefined : checkId(pathId),
        makeId: () => {
          isIdMade = true;
          return this.makeId();
        },
        preconditions: preconditionsOf(request.headers),
      });
      const asked = isIdMade ? { ...operation, id: '' } : operation;
      const { commitSeq, results } = await this.writes.write({ request, reply }, [operation], [asked]);
      const result = results[0];
      if (result?.kind !== 'object') throw new Error('the engine answered a put without an object');
      sendObject(reply, { json: result.json, version: commitSeq, position: commitSeq });
    });
  }

  get(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('get', async () => {
      const parameters = queryParameters(request.raw.url ?? '', isGetParameter);
      const { ns } = accessOf(request);
      const id = checkId(pathParameter(request.params, 'id'));
      const consistency = consistencyOf(parameters);
      const { outcome, commitSeq } = await this.engine.read(
        { kind: 'get', ns, id },
        { consistency, timeoutMs: READ_TIMEOUT.timeoutMs },
      );
      if (outcome.kind === 'rejected') throw rejection(outcome);
      if (outcome.kind !== 'object') throw new StateError('not_found', 'There is no object of this id.');
      sendObject(reply, { json: outcome.json, version: outcome.commitSeq, position: commitSeq });
    });
  }

  delete(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('delete', async () => {
      refuseParameters(request);
      const id = checkId(pathParameter(request.params, 'id'));
      const { ifMatch, ifNoneMatch } = preconditionsOf(request.headers);
      const operation = { op: 'delete', id, ifMatch, ifNoneMatch } as const;
      const { commitSeq } = await this.writes.write({ request, reply }, [operation]);
      sendDeleted(reply, commitSeq);
    });
  }

  patch(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('patch', async () => {
      refuseParameters(request);
      const id = checkId(pathParameter(request.params, 'id'));
      const isMerge = mediaTypeOf(request.headers['content-type']) !== PATCH_MEDIA_TYPES.json;
      const format = isMerge ? 'merge' : 'json';
      const patchJson = readPatch(format, request.body);
      const limitBytes = accessOf(request).bodyLimitBytes;
      const { ifMatch, ifNoneMatch } = preconditionsOf(request.headers);
      const operation = { op: 'patch', id, format, patchJson, limitBytes, ifMatch, ifNoneMatch } as const;
      const { commitSeq, results } = await this.writes.write({ request, reply }, [operation]);
      const result = results[0];
      if (result?.kind !== 'object') throw new Error('the engine answered a patch without an object');
      sendObject(reply, { json: result.json, version: commitSeq, position: commitSeq });
    });
  }

  batch(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('batch', async () => {
      refuseParameters(request);
      const access = accessOf(request);
      const { operations, asked } = readBatch(request.body, {
        makeId: this.makeId,
        limitBytes: access.bodyLimitBytes,
      });
      checkOperations(access, operations);
      sendBatch(reply, operations, await this.writes.write({ request, reply }, operations, asked));
    });
  }

  list(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('list', async () => {
      const parameters = queryParameters(request.raw.url ?? '', (name) => LIST_PARAMETERS.has(name));
      const bounds = { low: 1, high: LIMITS.pageRows };
      const answer = await this.engine.read(
        {
          kind: 'list',
          ns: accessOf(request).ns,
          prefix: parameters.get('prefix'),
          limit: wholeNumberParameter(parameters, 'limit', bounds) ?? LIMITS.pageRowsDefault,
          cursor: parameters.get('cursor'),
        },
        { consistency: consistencyOf(parameters), timeoutMs: READ_TIMEOUT.timeoutMs },
      );
      sendPage(reply, answer);
    });
  }

  query(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('query', async () => {
      const parameters = queryParameters(request.raw.url ?? '', (name) => GET_PARAMETERS.has(name));
      const query = readQuery(accessOf(request).ns, request.body);
      const consistency = consistencyOf(parameters);
      sendPage(reply, await this.engine.read(query, { consistency, timeoutMs: READ_TIMEOUT.timeoutMs }));
    });
  }
}

function isGetParameter(name: string): boolean {
  if (HISTORY_PARAMETERS.has(name)) throw invalidField(name, 'is not supported by this version');
  return GET_PARAMETERS.has(name);
}

function refuseParameters(request: FastifyRequest): void {
  queryParameters(request.raw.url ?? '', () => false);
}
