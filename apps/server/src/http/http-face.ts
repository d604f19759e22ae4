import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config';
import { problemOf, stateErrorOf } from '../errors';
import type { Lifecycle } from '../lifecycle';
import type { TlsMaterial } from '../tls';
import { answerStarting } from './answer-starting';
import { registerBodyParser } from './body-parser';
import { answerClientError } from './client-errors';
import { ConnectionBook } from './connection-book';
import { type GateOptions, registerGate } from './gate';
import { requestIdOf } from './request-id';
import { HTTP_SERVER_OPTIONS, SERVER_LIMITS, limitServer } from './server-limits';
import { tlsContext, tlsOptions } from './tls-options';

type Handler = (message: IncomingMessage, response: ServerResponse) => void;

/** The HTTP edge: one Fastify instance, reached through two servers. */
export interface HttpFace {
  readonly adapter: FastifyAdapter;
  readonly fastify: FastifyInstance;
  readonly apiServer: Server;
  readonly adminServer: Server;
  /** Ends every connection that is left, also those in the middle of a TLS handshake. */
  destroyConnections(): void;
  /** New connections use this from now on; those that exist keep what they began with. */
  useTls(material: TlsMaterial): void;
}

export interface HttpFaceHost extends Pick<GateOptions, 'authorizer' | 'audit'> {
  readonly lifecycle: Lifecycle;
  /** Without it the servers speak plain HTTP. */
  readonly tls: TlsMaterial | undefined;
  readonly onConnectionRefused: (reason: string) => void;
}

export function createHttpFace(config: ServerConfig, host: HttpFaceHost): HttpFace {
  const standing = { 'x-agentstate-node': config.nodeId, 'x-agentstate-region': config.region };
  const onAdminPort = new WeakSet<IncomingMessage>();
  const connections = new ConnectionBook(config.maxConnectionsPerAddress, host.onConnectionRefused);
  const tlsServers: TlsServer[] = [];
  const { lifecycle } = host;
  const serverOf = (whenStarted: Handler, rejectUnauthorized: boolean): Server => {
    const handler: Handler = (message, response) =>
      lifecycle.isStarting
        ? answerStarting(message, response, { lifecycle, standing, whenStarted })
        : whenStarted(message, response);
    const server = host.tls
      ? createTlsServer({ ...HTTP_SERVER_OPTIONS, ...tlsOptions(host.tls, rejectUnauthorized) }, handler)
      : createServer(HTTP_SERVER_OPTIONS, handler);
    if (host.tls) tlsServers.push(server as TlsServer);
    limitServer(server, config.maxWatchers);
    connections.watch(server);
    return server;
  };
  const clientErrorHandler = (error: NodeJS.ErrnoException, socket: Socket): void =>
    answerClientError(error, socket, standing, () => host.onConnectionRefused('tls'));
  const adapter = new FastifyAdapter({
    // No Nest middleware is used, and its bridge would cost every request.
    skipMiddie: true,
    serverFactory: (handler: Handler) => serverOf(handler, true),
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
  registerGate(fastify, {
    ...{ config, ...host },
    isDraining: () => lifecycle.isDraining,
    isOnAdminPort: (message) => onAdminPort.has(message),
  });
  // Probes of orchestrators have no certificate: on the admin port the gate asks for it, for everything else.
  const adminServer = serverOf((message, response) => {
    onAdminPort.add(message);
    fastify.routing(message, response);
  }, false);
  adminServer.on('clientError', clientErrorHandler);
  return {
    adapter,
    fastify,
    apiServer: fastify.server,
    adminServer,
    destroyConnections: () => connections.destroyAll(),
    useTls: (material) => {
      for (const server of tlsServers) server.setSecureContext(tlsContext(material));
    },
  };
}
