/** One namespace of a server, over plain HTTP: what a client without an SDK would write. */
export interface StoredObject {
  readonly id: string;
  readonly ns: string;
  readonly type: string;
  readonly body: unknown;
  readonly tags: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly commit_seq: number;
  readonly created_seq: number;
  readonly ts: string;
}

export interface Answer<Body = StoredObject> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export class Client {
  private readonly base: string;

  constructor(
    url: string,
    readonly ns: string,
    private readonly token?: string,
  ) {
    this.base = `${url}/v1/${encodeURIComponent(ns)}`;
  }

  put(id: string, object: object, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('PUT', `/objects/${encodeURIComponent(id)}`, object, headers);
  }

  get(id: string, search = ''): Promise<Answer> {
    return this.send('GET', `/objects/${encodeURIComponent(id)}${search}`);
  }

  list(search = ''): Promise<Answer<readonly StoredObject[]>> {
    return this.send('GET', `/objects${search}`);
  }

  remove(id: string): Promise<Answer<undefined>> {
    return this.send('DELETE', `/objects/${encodeURIComponent(id)}`);
  }

  get authorization(): Record<string, string> {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
  }

  watchUrl(search = ''): string {
    return `${this.base}/watch${search}`;
  }

  private async send<Body>(
    method: string,
    path: string,
    object?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        ...(object && { 'content-type': 'application/json' }),
        ...this.authorization,
        ...headers,
      },
      ...(object && { body: JSON.stringify(object) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }
}
