import http from 'node:http';
import type { ClusterNode } from './cluster-node';
import { wholeAnswer } from './whole-answer';

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

  async send(node: ClusterNode, { method, path, headers = {}, body }: NodeRequest): Promise<Reply> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const request = http.request({
      agent: this.agent,
      host: '127.0.0.1',
      port: node.ports.http,
      method,
      path: `${this.base}${path}`,
      headers: {
        ...headers,
        ...(sent !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(sent),
        }),
      },
    });
    const patience = setTimeout(
      () => request.destroy(Object.assign(new Error('no answer'), { code: 'patience' })),
      PATIENCE_MS,
    );
    request.on('close', () => clearTimeout(patience));
    const answer = wholeAnswer(request);
    request.end(sent);
    const { text, ...reply } = await answer;
    return { ...reply, json: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>) };
  }
}
