import http from 'node:http';
import { wholeAnswer } from './whole-answer';

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
  async send(method: string, path: string, object?: object): Promise<LoadAnswer> {
    const body = object === undefined ? undefined : JSON.stringify(object);
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
    const answer = wholeAnswer(request);
    request.end(body);
    const { status, text } = await answer;
    return { status, json: text === '' ? undefined : JSON.parse(text) };
  }

  close(): void {
    this.agent.destroy();
  }
}
