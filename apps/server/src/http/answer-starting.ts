import type { IncomingMessage, ServerResponse } from 'node:http';
import { StateError } from '#contracts';
import { problemOf } from '../errors/problem';
import { ALIVE, type ProbeAnswer, readinessAnswer } from '../health/probe-answers';
import type { Lifecycle } from '../lifecycle';
import type { StandingHeaders } from './client-errors';
import { discardRestOfBody } from './discard-body';
import { requestIdOf } from './request-id';

/**
 * Answers before there is an engine, which may take long: a cluster forms when its last first member comes. Probes
 * learn that the process lives and what it waits for, and nothing else is served.
 */
export function answerStarting(
  message: IncomingMessage,
  response: ServerResponse,
  { lifecycle, standing }: { readonly lifecycle: Lifecycle; readonly standing: StandingHeaders },
): void {
  const requestId = requestIdOf(message);
  for (const [name, value] of Object.entries(standing)) response.setHeader(name, value);
  response.setHeader('x-request-id', requestId);
  const probe = probeAnswer(message, lifecycle);
  if (probe !== undefined) {
    response.setHeader('content-type', probe.contentType);
    end(response, probe.status, probe.text);
  } else {
    const error = new StateError('not_ready', 'The node is starting: /ready says what it waits for.');
    const { status, headers, json } = problemOf(error, requestId);
    for (const [name, value] of headers) response.setHeader(name, value);
    end(response, status, json);
  }
  discardRestOfBody(message);
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

function end(response: ServerResponse, status: number, text: string): void {
  response.setHeader('content-length', Buffer.byteLength(text));
  response.writeHead(status).end(text);
}
