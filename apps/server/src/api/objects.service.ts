import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { monotonicFactory } from 'ulid';
import { LIMITS, StateError } from '#contracts';
import type { Engine } from '#replication';
import { mediaTypeOf } from '../http/body-parser';
import { checkId, pathParameter } from '../http/identifiers';
import { booleanParameter, queryParameters, wholeNumberParameter } from '../http/query-string';
import { ENGINE } from '../replication';
import { rejection, sendBatch, sendDeleted, sendObject, sendPage } from './answers';
import { checkOperations } from './batch-access';
import { CONSISTENCY_PARAMETERS, consistencyOf } from './consistency';
import { EngineWrites } from './engine-writes';
import { momentOf } from './moment';
import { OperationTimer } from './operation-timer';
import { preconditionsOf, refuseConditions } from './preconditions';
import { readBatch } from './read-batch';
import { PATCH_MEDIA_TYPES, readPatch } from './read-patch';
import { readPutObject } from './read-put-object';
import { readQuery } from './read-query';
import { accessOf } from './request-access';
import { READ_TIMEOUT } from './timeouts';

const AT_PARAMETERS = new Set([...CONSISTENCY_PARAMETERS, 'at', 'at_seq']);
const HISTORY_PARAMETERS = new Set([...CONSISTENCY_PARAMETERS, 'limit', 'cursor']);
const QUERY_PARAMETERS = new Set([...CONSISTENCY_PARAMETERS, 'allow_scan']);
const PAGE_BOUNDS = { low: 1, high: LIMITS.pageRows };
const ELSEWHERE_IN_BATCHES =
  'is of one object: give each operation of a batch its own if_match or if_none_match';
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
      const at = momentOf(parameters);
      const { ns } = accessOf(request);
      const id = checkId(pathParameter(request.params, 'id'));
      const consistency = consistencyOf(parameters);
      const { outcome, commitSeq } = await this.engine.read(
        at === undefined ? { kind: 'get', ns, id } : { kind: 'get', ns, id, at },
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
      refuseConditions(request.headers, ['if-match', 'if-none-match'], ELSEWHERE_IN_BATCHES);
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
      const answer = await this.engine.read(
        {
          kind: 'list',
          ns: accessOf(request).ns,
          prefix: parameters.get('prefix'),
          limit: wholeNumberParameter(parameters, 'limit', PAGE_BOUNDS) ?? LIMITS.pageRowsDefault,
          cursor: parameters.get('cursor'),
        },
        { consistency: consistencyOf(parameters), timeoutMs: READ_TIMEOUT.timeoutMs },
      );
      sendPage(reply, answer);
    });
  }

  history(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('history', async () => {
      const parameters = queryParameters(request.raw.url ?? '', (name) => HISTORY_PARAMETERS.has(name));
      const answer = await this.engine.read(
        {
          kind: 'history',
          ns: accessOf(request).ns,
          id: checkId(pathParameter(request.params, 'id')),
          limit: wholeNumberParameter(parameters, 'limit', PAGE_BOUNDS) ?? LIMITS.pageRowsDefault,
          cursor: parameters.get('cursor'),
        },
        { consistency: consistencyOf(parameters), timeoutMs: READ_TIMEOUT.timeoutMs },
      );
      sendPage(reply, answer);
    });
  }

  query(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.timer.run('query', async () => {
      const parameters = queryParameters(request.raw.url ?? '', (name) => QUERY_PARAMETERS.has(name));
      const asked = readQuery(accessOf(request).ns, request.body);
      const allowScan = booleanParameter(parameters, 'allow_scan');
      const query = allowScan === undefined ? asked : { ...asked, allowScan };
      const consistency = consistencyOf(parameters);
      sendPage(reply, await this.engine.read(query, { consistency, timeoutMs: READ_TIMEOUT.timeoutMs }));
    });
  }
}

function isGetParameter(name: string): boolean {
  return AT_PARAMETERS.has(name);
}

function refuseParameters(request: FastifyRequest): void {
  queryParameters(request.raw.url ?? '', () => false);
}
