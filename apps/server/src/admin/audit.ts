import type { FastifyRequest } from 'fastify';
import type { Logger } from '../logging';

/** Parameters of admin requests that say what was acted on. */
const TARGETS = ['snapshot_id', 'ns'] as const;

/**
 * One line for each request of an operator, granted or refused: who, from where, what, and what came of it. Who is
 * the `jti` of the token, or a digest of it; the token itself and the body never stand here. The line is written at
 * every log level but `silent`.
 */
export function auditLog(logger: Logger): (request: FastifyRequest, status: number) => void {
  const log = logger.child({ audit: true }, logger.level === 'silent' ? {} : { level: 'info' });
  return (request, status) => {
    const [path = '', search = ''] = (request.raw.url ?? '').split('?', 2);
    const given = new URLSearchParams(search);
    const capability = request.access?.capability;
    log.info(
      {
        request_id: request.id,
        method: request.method,
        path,
        ...Object.fromEntries(TARGETS.flatMap((name) => (given.has(name) ? [[name, given.get(name)]] : []))),
        status,
        actor: capability?.owner ?? null,
        key_id: capability?.keyId ?? null,
        remote_address: request.raw.socket.remoteAddress,
      },
      'an admin request was answered',
    );
  };
}
