import http from 'node:http';

export interface LoadAnswer {
  readonly status: number;
  readonly json: unknown;
}

/** Kept-alive connections for load: `fetch` costs several times as much of the machine that is being tested. */
export class Connections {
  private readonly agent: http.Agent;

  constructor(
    private readonly port: number,
    count: number,
  ) {
    this.agent = new http.Agent({ keepAlive: true, maxSockets: count });
  }

  /** Rejects when the connection breaks: what became of the request is then unknown. */
  send(method: string, path: string, object?: object): Promise<LoadAnswer> {
    const body = object === undefined ? undefined : JSON.stringify(object);
    return new Promise((resolve, reject) => {
      const request = http.request({
        agent: this.agent,
        host: '127.0.0.1',
        port: this.port,
        method,
        path,
        headers:
          body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, json: text === '' ? undefined : JSON.parse(text) });
        });
      });
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
