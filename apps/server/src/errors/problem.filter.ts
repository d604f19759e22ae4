import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { discardRestOfBody } from '../http/discard-body';
import { LOGGER, type Logger } from '../logging';
import { problemOf } from './problem';
import { stateErrorOf } from './state-error-of';

/** The one place where an error becomes an answer, and where its cause is logged, once. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = stateErrorOf(thrown);
    if (error.code === 'internal') {
      this.logger.error({ request_id: request.id, err: error.cause ?? error }, 'a request failed');
    }
    if (reply.sent || reply.raw.headersSent) return;
    const problem = problemOf(error, request.id);
    for (const [name, value] of problem.headers) reply.header(name, value);
    reply.status(problem.status).send(problem.json);
    discardRestOfBody(request.raw);
  }
}
