import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { StateError } from '#contracts';
import { problemOf } from '../errors/problem';
import { requestIdOf } from './request-id';

const DETAILS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'The request line and headers are too large.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
};

/** Headers that every answer carries, also one that no framework had a hand in. */
export type StandingHeaders = Readonly<Record<string, string>>;

/** Answers what Node's HTTP parser could not make a request of, and ends the connection. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  standing: StandingHeaders,
  onTlsFailure: () => void,
): void {
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
  if (/^ERR_(?:SSL|TLS)_/.test(error.code ?? '')) {
    onTlsFailure();
    socket.destroy();
    return;
  }
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent) {
    socket.destroy();
    return;
  }
  const detail = DETAILS[error.code ?? ''] ?? 'The request is not well-formed HTTP.';
  const requestId = requestIdOf({ headers: {} });
  const { status, headers, json } = problemOf(new StateError('invalid_request', detail), requestId);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...[...headers, ...Object.entries(standing)].map(([name, value]) => `${name}: ${value}`),
    `x-request-id: ${requestId}`,
    `content-length: ${Buffer.byteLength(json)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${json}`);
}
