import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { createSigner } from 'fast-jwt';
import { type RunningServer, serve } from '../src/bootstrap';
import { MemoryEngine } from './memory-engine';

export const KEY = Buffer.alloc(32, 7).toString('base64');
export const NEXT_KEY = Buffer.alloc(32, 9).toString('base64');

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json<Shape = Record<string, unknown>>(): Shape;
}

export interface TestServer {
  readonly server: RunningServer;
  readonly engine: MemoryEngine;
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Writes bytes as they are, half-closes if asked to, and gives everything that came back. */
  sendRaw(text: string, options?: { readonly endAfter?: boolean; readonly port?: number }): Promise<string>;
}

export interface SendOptions {
  readonly body?: string | Buffer;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  readonly token?: string;
  readonly port?: number;
  /** Leaves `Content-Length` out. */
  readonly chunked?: boolean;
}

/** Starts a real server on free ports over a {@link MemoryEngine}; dev mode unless the environment says keys. */
export async function startTestServer(environment: NodeJS.ProcessEnv = {}): Promise<TestServer> {
  const engine = new MemoryEngine();
  const mode =
    environment.CAP_KEY_ACTIVE || environment.CAP_KEY_ACTIVE_FILE
      ? { HTTP_HOST: '127.0.0.1' }
      : { DEV_MODE: 'true' };
  const server = await serve(
    { HTTP_PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'silent', ...mode, ...environment },
    () => Promise.resolve(engine),
  );
  return {
    server,
    engine,
    send: (method, path, options) => send(server.httpPort, method, path, options),
    sendRaw: (text, options) => sendRaw(options?.port ?? server.httpPort, text, options?.endAfter ?? false),
  };
}

function send(port: number, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const headers: Record<string, string> = { ...options.headers };
  if (body !== undefined && !headers['content-type']) headers['content-type'] = 'application/json';
  if (body !== undefined && !options.chunked) headers['content-length'] = String(Buffer.byteLength(body));
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port: options.port ?? port, method, path, headers, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = <Shape>(): Shape => JSON.parse(text) as Shape;
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
        });
      },
    );
    outgoing.on('error', reject);
    if (options.chunked && body !== undefined) outgoing.write(body);
    // As bytes: a text would have Node encode the headers before it as UTF-8.
    outgoing.end(options.chunked || body === undefined ? undefined : Buffer.from(body));
  });
}

function sendRaw(port: number, text: string, endAfter: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      resolve(Buffer.concat(chunks).toString());
    });
    socket.write(text);
    if (endAfter) socket.end();
  });
}

/** Mints a token as any JWT library would. */
export function mint(
  claims: Record<string, unknown>,
  header: { readonly kid?: string; readonly key?: string } = {},
): string {
  const sign = createSigner({
    key: Buffer.from(header.key ?? KEY, 'base64'),
    algorithm: 'HS256',
    kid: header.kid ?? 'active',
    noTimestamp: true,
  });
  return sign(claims);
}

/** Claims that grant everything on one namespace for an hour. */
export function claims(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return {
    ns: 'agent://demo',
    ops: ['PUT', 'GET', 'DELETE', 'WATCH'],
    iat: nowSeconds,
    exp: nowSeconds + 3_600,
    ...overrides,
  };
}
