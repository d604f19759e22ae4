import { isAscii, isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { StateError } from '#contracts';
import { parseJson } from './json-text';

type Done = (error?: Error, body?: unknown) => void;

const JSON_ALONE: readonly string[] = ['application/json'];
const METHODS_WITH_BODY: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Bodies are JSON and nothing else, declared as a media type that the route takes. The limit is the request's own (a token may lower it), and it counts the
 * bytes that arrive, whatever `Content-Length` says. Fastify's own parsing is switched off by calling the
 * methods bodyless: the `AsyncResource` that it makes for each body was half of what a small PUT cost here.
 */
export function registerBodyParser(fastify: FastifyInstance, maxBodyBytes: number): void {
  for (const method of METHODS_WITH_BODY) {
    fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  fastify.addHook('preValidation', (request, _reply, done) => {
    if (!hasBody(request) || !METHODS_WITH_BODY.includes(request.method)) return done();
    const { mediaTypes = JSON_ALONE } = request.routeOptions.config;
    if (!mediaTypes.includes(mediaTypeOf(request.headers['content-type']))) return done(notTaken(mediaTypes));
    const limitBytes = request.access?.bodyLimitBytes ?? maxBodyBytes;
    readJson(request, request.raw, limitBytes, (error, body) => {
      request.body = body;
      done(error);
    });
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  return coding !== undefined || (length !== undefined && length !== '0');
}

/** The media type without its parameters. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined || contentType === 'application/json') return contentType ?? '';
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function readJson(request: FastifyRequest, payload: IncomingMessage, limitBytes: number, done: Done): void {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return done(tooLarge(limitBytes));
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (error?: Error, body?: unknown): void => {
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
      finish(
        undefined,
        bytesToJson(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)),
      );
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

function notTaken(mediaTypes: readonly string[]): StateError {
  return new StateError(
    'unsupported_media_type',
    `The body must be JSON, with Content-Type: ${mediaTypes.join(' or ')}.`,
  );
}

function endedEarly(): StateError {
  return new StateError('invalid_request', 'The body ended before it was whole.');
}
