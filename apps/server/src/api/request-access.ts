import type { FastifyRequest } from 'fastify';
import type { Access } from '../auth';

/** What the gate found; every route of the API declares a capability, so that it is always there. */
export function accessOf(request: FastifyRequest): Access {
  if (!request.access) throw new Error('a route of the API has no capability in its RouteConfig');
  return request.access;
}
