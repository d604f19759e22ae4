import http from 'node:http';
import type { ClusterNode } from './cluster-node';

export interface NodeRequest {
  readonly method: string;
  /** Below the namespace. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** After this a request counts as one of unknown outcome. */
const PATIENCE_MS = 2_500;

/**
 * Requests about one namespace over connections that are kept. What fails has the `code` of the connection's error,
 * `patience` where no answer came in time.
 */
export class NodeRequests {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  private readonly base: string;

  constructor(ns: string) {
    this.base = `/v1/${encodeURIComponent(ns)}`;
  }

  close(): void {
    this.agent.destroy();
  }

  send(node: ClusterNode, { method, path, headers = {}, body }: NodeRequest): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = http.request({
        agent: this.agent,
        host: '127.0.0.1',
        port: node.ports.http,
        method,
        path: `${this.base}${path}`,
        headers: {
          ...headers,
          ...(text !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          }),
        },
      });
      const patience = setTimeout(
        () => request.destroy(Object.assign(new Error('no answer'), { code: 'patience' })),
        PATIENCE_MS,
      );
      request.on('close', () => clearTimeout(patience));
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8');
          const json = answer === '' ? undefined : (JSON.parse(answer) as Record<string, unknown>);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, json });
        });
      });
      request.end(text);
    });
  }
}
