import { isAscii, isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { StateError } from '#contracts';
import { parseJson } from './json-text';

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Bodies are JSON and nothing else. The limit is the request's own (a token may lower it), and it counts the
 * bytes that arrive, whatever `Content-Length` says.
 */
export function registerBodyParser(fastify: FastifyInstance, maxBodyBytes: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', (request, payload, done) =>
    readJson(request, payload, request.access?.bodyLimitBytes ?? maxBodyBytes, done),
  );
}

function readJson(request: FastifyRequest, payload: IncomingMessage, limitBytes: number, done: Done): void {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return done(tooLarge(limitBytes));
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (error: Error | null, body?: unknown): void => {
    if (finished) return;
    finished = true;
    payload.removeListener('data', onData);
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > limitBytes) finish(tooLarge(limitBytes));
    else chunks.push(chunk);
  };
  payload.on('data', onData);
  payload.on('error', () => finish(endedEarly()));
  payload.on('end', () => {
    if (finished) return;
    try {
      finish(null, bytesToJson(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)));
    } catch (error) {
      finish(error as Error);
    }
  });
}

/** An empty body is no body: some clients send a content type with every `DELETE`. */
function bytesToJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (isAscii(bytes)) return parseJson(bytes.toString('latin1'));
  if (!isUtf8(bytes)) throw new StateError('invalid_json', 'The body is not UTF-8.');
  return parseJson(bytes.toString('utf8'));
}

function tooLarge(limitBytes: number): StateError {
  return new StateError('payload_too_large', `The body is larger than ${limitBytes} bytes.`, {
    limit_bytes: limitBytes,
  });
}

function endedEarly(): StateError {
  return new StateError('invalid_request', 'The body ended before it was whole.');
}
