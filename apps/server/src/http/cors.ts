import type { FastifyReply, FastifyRequest } from 'fastify';

const LOCALHOST = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;
const PREFLIGHT_SECONDS = '600';
const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const ALLOWED_HEADERS =
  'authorization, content-type, if-match, if-none-match, if-resource, if-fence, idempotency-key, last-event-id, x-request-id';
const EXPOSED_HEADERS =
  'ETag, X-Commit-Seq, X-Next-Cursor, X-Request-Id, X-AgentState-Node, X-AgentState-Region, Retry-After, Idempotency-Replayed';

/** The CORS protocol of the Fetch standard for the configured origins; credentials travel as bearer tokens. */
export class Cors {
  private readonly origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.origins = new Set(origins);
  }

  /** Adds the headers that a browser needs; answers a preflight, and returns `true` if that is all there is to do. */
  handle(request: FastifyRequest, reply: FastifyReply): boolean {
    if (this.origins.size === 0) return false;
    const origin = request.headers.origin;
    reply.header('vary', 'Origin');
    if (origin === undefined || !this.allows(origin)) return false;
    reply.header('access-control-allow-origin', this.origins.has('*') ? '*' : origin);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      reply.header('access-control-expose-headers', EXPOSED_HEADERS);
      return false;
    }
    reply
      .status(204)
      .header('access-control-allow-methods', ALLOWED_METHODS)
      .header('access-control-allow-headers', ALLOWED_HEADERS)
      .header('access-control-max-age', PREFLIGHT_SECONDS)
      .send();
    return true;
  }

  private allows(origin: string): boolean {
    if (this.origins.has('*') || this.origins.has(origin)) return true;
    return this.origins.has('localhost') && LOCALHOST.test(origin);
  }
}
