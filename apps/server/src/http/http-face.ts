import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authorizer } from '../auth';
import type { ServerConfig } from '../config';
import { problemOf, stateErrorOf } from '../errors';
import { registerBodyParser } from './body-parser';
import { answerClientError } from './client-errors';
import { registerGate } from './gate';
import { requestIdOf } from './request-id';
import { HTTP_SERVER_OPTIONS, SERVER_LIMITS, limitServer } from './server-limits';

type Handler = (message: IncomingMessage, response: ServerResponse) => void;

/** The HTTP edge: one Fastify instance, reached through two servers. */
export interface HttpFace {
  readonly adapter: FastifyAdapter;
  readonly fastify: FastifyInstance;
  readonly apiServer: Server;
  readonly adminServer: Server;
}

export function createHttpFace(
  config: ServerConfig,
  host: { readonly authorizer: () => Authorizer; readonly isDraining: () => boolean },
): HttpFace {
  const standing = { 'x-agentstate-node': config.nodeId, 'x-agentstate-region': config.region };
  const onAdminPort = new WeakSet<IncomingMessage>();
  const serverOf = (handler: Handler): Server => {
    const server = createServer(HTTP_SERVER_OPTIONS, handler);
    limitServer(server, config.maxWatchers);
    return server;
  };
  const clientErrorHandler = (error: NodeJS.ErrnoException, socket: Socket): void =>
    answerClientError(error, socket, standing);
  const adapter = new FastifyAdapter({
    // No Nest middleware is used, and its bridge would cost every request.
    skipMiddie: true,
    serverFactory: serverOf,
    clientErrorHandler,
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: config.maxBodyBytes,
    return503OnClosing: false,
    routerOptions: {
      // Ids are checked by their own limit, with an answer that says so.
      maxParamLength: SERVER_LIMITS.headerBytes,
      // Parsed where it is used, by stricter rules.
      querystringParser: () => ({}),
    },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      const problem = problemOf(stateErrorOf(error), request.id);
      for (const [name, value] of [...problem.headers, ...Object.entries(standing)])
        void reply.header(name, value);
      void reply.header('x-request-id', request.id).status(problem.status).send(problem.json);
    },
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  registerBodyParser(fastify, config.maxBodyBytes);
  registerGate(fastify, { config, ...host, isOnAdminPort: (message) => onAdminPort.has(message) });
  const adminServer = serverOf((message, response) => {
    onAdminPort.add(message);
    fastify.routing(message, response);
  });
  adminServer.on('clientError', clientErrorHandler);
  return { adapter, fastify, apiServer: fastify.server, adminServer };
}
