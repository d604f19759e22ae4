import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { StateError } from '#contracts';
import type { Authorizer, CapabilityOperation } from '../auth';
import type { ServerConfig } from '../config';
import { MethodNotAllowed } from '../errors';
import { Cors } from './cors';
import { pathParameter } from './identifiers';
import { RouteTable } from './route-table';
import './request-types';

type Done = (error?: Error) => void;

/** Paths that the admin port serves, beside the API port or instead of it. */
const PROBES = /^\/(?:health|ready)$/;
const OPERATOR_PATHS = /^\/(?:metrics|admin)(?:\/|$)/;
/** Paths that no route may serve without naming a capability. */
const GUARDED_PATHS = /^\/(?:v1|admin)(?:\/|$)/;

export interface GateOptions {
  readonly config: ServerConfig;
  /** Asked for at each request, because routes are registered before the modules are made. */
  readonly authorizer: () => Authorizer;
  /** Whether a request came in by the admin port. */
  readonly isOnAdminPort: (message: IncomingMessage) => boolean;
  readonly isDraining: () => boolean;
  /** Told of every answered request of an operator. */
  readonly audit: (request: FastifyRequest, status: number) => void;
}

/**
 * Everything that is decided before a body is read: the headers of every answer, CORS, unknown paths and
 * methods, which port serves what, and what the token allows. Fastify hooks rather than Nest guards, because
 * guards run after the body was parsed.
 */
export function registerGate(fastify: FastifyInstance, options: GateOptions): void {
  const { config, isOnAdminPort } = options;
  const cors = new Cors(config.corsOrigins);
  const routes = new RouteTable();
  fastify.decorateRequest('access', undefined);

  fastify.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: Done) => {
    reply.header('x-request-id', request.id);
    reply.header('x-agentstate-node', config.nodeId);
    reply.header('x-agentstate-region', config.region);
    if (options.isDraining()) reply.header('connection', 'close');
    if (cors.handle(request, reply)) return;
    if (!request.is404) return done();
    done(wrongMethod(routes, request) ?? nothingHere());
  });

  fastify.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done: Done) => {
    if (request.routeOptions.config?.capability === 'ADMIN') options.audit(request, reply.statusCode);
    done();
  });

  fastify.addHook('onRoute', (route: RouteOptions) => {
    routes.add(route.method, route.url);
    const isProbe = PROBES.test(route.url);
    const isOperator = OPERATOR_PATHS.test(route.url);
    const operation = route.config?.capability;
    const isCatchAll = route.url.endsWith('/*');
    if (operation === undefined && GUARDED_PATHS.test(route.url)) {
      throw new Error(`the route ${route.url} names no capability`);
    }
    route.onRequest = (request: FastifyRequest, _reply: FastifyReply, done: Done) => {
      const isServedHere = isOnAdminPort(request.raw)
        ? isProbe || isOperator
        : !isOperator || config.adminOnApiPort;
      if (!isServedHere) return done(nothingHere());
      if (!isProbe && !mayConnect(config, request)) return done(certificateMissing());
      if (operation === undefined) return done();
      try {
        request.access = accessOf(options.authorizer(), operation, request);
      } catch (error) {
        return done(error as Error);
      }
      done(isCatchAll ? wrongMethod(routes, request) : undefined);
    };
  });
}

function accessOf(
  authorizer: Authorizer,
  operation: CapabilityOperation,
  request: FastifyRequest,
): FastifyRequest['access'] {
  if (operation === 'ADMIN') return authorizer.authorizeAdmin(request.raw);
  return authorizer.authorize(operation, pathParameter(request.params, 'ns'), request.raw);
}

/** On the API port the handshake has seen to it. */
function mayConnect({ tls }: ServerConfig, request: FastifyRequest): boolean {
  return tls?.clientCaPath === undefined || (request.raw.socket as TLSSocket).authorized;
}

function certificateMissing(): StateError {
  return new StateError(
    'operation_denied',
    'A client certificate of the configured authority is needed here.',
  );
}

/** The refusal of a request whose path is a resource's, for other methods. */
function wrongMethod(routes: RouteTable, request: FastifyRequest): MethodNotAllowed | undefined {
  const methods = routes.methodsOf(request.raw.url ?? '');
  return methods.length > 0 ? new MethodNotAllowed(methods) : undefined;
}

function nothingHere(): StateError {
  return new StateError('not_found', 'There is nothing at this path.');
}
