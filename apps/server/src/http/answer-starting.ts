import type { IncomingMessage, ServerResponse } from 'node:http';
import { StateError } from '#contracts';
import { problemOf } from '../errors/problem';
import { ALIVE, type ProbeAnswer, readinessAnswer } from '../health/probe-answers';
import type { Lifecycle } from '../lifecycle';
import type { StandingHeaders } from './client-errors';
import { discardRestOfBody } from './discard-body';
import { requestIdOf } from './request-id';

type Handler = (message: IncomingMessage, response: ServerResponse) => void;

export interface StartingOptions {
  readonly lifecycle: Lifecycle;
  readonly standing: StandingHeaders;
  /** Takes requests once there is an engine. */
  readonly whenStarted: Handler;
}

/** An engine with a folder of the usual size is there before that: whoever asked meanwhile need not ask again. */
const PATIENCE_MS = 2_000;

/**
 * Takes requests before there is an engine, which may take long: a cluster forms when its last first member comes.
 * Probes learn at once that the process lives and what it waits for. Everything else waits for the engine for a
 * moment, its body unread, and is then refused.
 */
export function answerStarting(
  message: IncomingMessage,
  response: ServerResponse,
  { lifecycle, standing, whenStarted }: StartingOptions,
): void {
  const requestId = requestIdOf(message);
  const answer = (status: number, headers: Iterable<readonly [string, string]>, text: string): void => {
    for (const [name, value] of [...Object.entries(standing), ...headers]) response.setHeader(name, value);
    response.setHeader('x-request-id', requestId);
    response.setHeader('content-length', Buffer.byteLength(text));
    response.writeHead(status).end(text);
    discardRestOfBody(message);
  };
  const probe = probeAnswer(message, lifecycle);
  if (probe !== undefined) return answer(probe.status, [['content-type', probe.contentType]], probe.text);
  void lifecycle.whenStarted(PATIENCE_MS).then(() => {
    if (message.destroyed) return;
    if (!lifecycle.isStarting) return whenStarted(message, response);
    const error = new StateError('not_ready', 'The node is starting: /ready says what it waits for.');
    const { status, headers, json } = problemOf(error, requestId);
    answer(status, headers, json);
  });
}

function probeAnswer({ method, url = '' }: IncomingMessage, lifecycle: Lifecycle): ProbeAnswer | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  switch (url.split('?', 1)[0]) {
    case '/health':
      return ALIVE;
    case '/ready':
      return readinessAnswer([{ name: 'starting', ok: false, detail: lifecycle.startingOn }], lifecycle);
    default:
      return undefined;
  }
}
