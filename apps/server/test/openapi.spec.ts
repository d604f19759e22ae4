import { get } from 'node:http';
import { type TestServer, startTestServer } from './test-server';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly nullable?: boolean;
  readonly example?: unknown;
}
interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { name: string; in: string; schema?: Schema }[];
  readonly requestBody?: { content: Record<string, { schema: Schema }> };
  readonly responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
  readonly security?: unknown;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Schema>; securitySchemes: Record<string, unknown> };
}

let test: TestServer;
let document: Document;
/** Of the lease that the examples take, prolong and give up. */
let token = 0;
beforeAll(async () => {
  test = await startTestServer();
  document = (await test.send('GET', '/openapi.json')).json<Document>();
});
afterAll(() => test.server.stop());

const resolve = (schema: Schema): Schema =>
  schema.$ref ? (document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema;

/** Where a value is not what a schema says; empty when it is. */
function differences(schema: Schema, value: unknown, path = '$'): string[] {
  const { type, properties, required = [], items, nullable = false } = resolve(schema);
  if (value === null && nullable) return [];
  if (properties) {
    if (typeof value !== 'object' || value === null) return [`${path} is no object`];
    const unknown = Object.keys(value).filter((key) => !(key in properties));
    const missing = required.filter((key) => !(key in value));
    return [
      ...unknown.map((key) => `${path}.${key} is not documented`),
      ...missing.map((key) => `${path}.${key} is missing`),
      ...Object.entries(value).flatMap(([key, member]) =>
        key === 'body' ? [] : differences(properties[key] ?? {}, member, `${path}.${key}`),
      ),
    ];
  }
  if (type === 'array') {
    if (!Array.isArray(value)) return [`${path} is no array`];
    return value.flatMap((item, index) => differences(items ?? {}, item, `${path}[${index}]`));
  }
  if (type === 'integer') return Number.isInteger(value) ? [] : [`${path} is no whole number`];
  if (type === 'string') return typeof value === 'string' ? [] : [`${path} is no string`];
  if (type === 'boolean') return typeof value === 'boolean' ? [] : [`${path} is no boolean`];
  return [];
}

/** A request made of the examples of the document and nothing else. */
function exampleOf(path: string, operation: Operation) {
  const parameters = operation.parameters ?? [];
  let url = path;
  const query: string[] = [];
  for (const { name, in: place, schema } of parameters) {
    const example = schema?.example;
    const text = String(example);
    if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(text));
    if (place === 'query' && example !== undefined) query.push(`${name}=${encodeURIComponent(text)}`);
  }
  const [[mediaType, { schema }] = ['', {}]] = Object.entries(operation.requestBody?.content ?? {}) as [
    [string, { schema?: Schema }]?,
  ];
  const properties = schema ? (resolve(schema).properties ?? {}) : {};
  const body = Object.fromEntries(
    Object.entries(properties).flatMap(([key, { example }]) =>
      example === undefined ? [] : [[key, example]],
    ),
  );
  return {
    url: query.length > 0 ? `${url}?${query.join('&')}` : url,
    body: schema ? body : undefined,
    mediaType,
  };
}

/** Goal: the document is true. Method: call every operation with its own examples, compare status and shape. */
describe('the OpenAPI document', () => {
  it('names the routes that the server has, and how to be let in', () => {
    expect(document.openapi).toMatch(/^3\./);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'DELETE /admin/cluster/nodes/{node_id}',
      'DELETE /admin/namespaces/{ns}',
      'DELETE /v1/{ns}/objects/{id}',
      'GET /admin/cluster',
      'GET /admin/dump',
      'GET /admin/manifest',
      'GET /admin/namespaces',
      'GET /admin/namespaces/{ns}',
      'GET /admin/snapshots',
      'GET /v1/{ns}/lease/{key}',
      'GET /v1/{ns}/objects',
      'GET /v1/{ns}/objects/{id}',
      'GET /v1/{ns}/objects/{id}/history',
      'GET /v1/{ns}/watch',
      'PATCH /v1/{ns}/objects/{id}',
      'POST /admin/cluster/nodes',
      'POST /admin/cluster/transfer-leader',
      'POST /admin/explain-query',
      'POST /admin/snapshot',
      'POST /admin/trim-wal',
      'POST /v1/{ns}/batch',
      'POST /v1/{ns}/lease/acquire',
      'POST /v1/{ns}/lease/release',
      'POST /v1/{ns}/lease/renew',
      'POST /v1/{ns}/objects',
      'POST /v1/{ns}/query',
      'PUT /admin/namespaces/{ns}',
      'PUT /v1/{ns}/objects/{id}',
    ]);
    expect(document.components.securitySchemes).toMatchObject({
      capability: { type: 'http', scheme: 'bearer' },
    });
  });

  it.each([
    ['put', '/v1/{ns}/objects/{id}'],
    ['post', '/v1/{ns}/objects'],
    ['patch', '/v1/{ns}/objects/{id}'],
    ['get', '/v1/{ns}/objects/{id}'],
    ['get', '/v1/{ns}/objects'],
    ['get', '/v1/{ns}/objects/{id}/history'],
    ['post', '/v1/{ns}/query'],
    ['post', '/v1/{ns}/batch'],
    ['delete', '/v1/{ns}/objects/{id}'],
    ['post', '/v1/{ns}/lease/acquire'],
    ['get', '/v1/{ns}/lease/{key}'],
    ['post', '/v1/{ns}/lease/renew'],
    ['post', '/v1/{ns}/lease/release'],
    ['get', '/admin/cluster'],
    ['post', '/admin/explain-query'],
    ['post', '/admin/cluster/nodes'],
    ['post', '/admin/cluster/transfer-leader'],
    ['delete', '/admin/cluster/nodes/{node_id}'],
    ['post', '/admin/snapshot'],
    ['get', '/admin/snapshots'],
    ['get', '/admin/manifest'],
    ['post', '/admin/trim-wal'],
    ['put', '/admin/namespaces/{ns}'],
    ['get', '/admin/namespaces/{ns}'],
    ['get', '/admin/namespaces'],
    ['delete', '/admin/namespaces/{ns}'],
  ])('is true of %s %s', async (method, path) => {
    const operation = document.paths[path]?.[method];
    if (!operation) throw new Error('not documented');
    const { url, body, mediaType } = exampleOf(path, operation);
    // A token is known only to who holds the lease: the example shows what one looks like.
    if (body?.['token'] !== undefined) body['token'] = token;
    const headers = mediaType === '' ? undefined : { 'content-type': mediaType };
    const answer = await test.send(method.toUpperCase(), url, { json: body, headers });
    if (answer.text.includes('"token"')) token = answer.json<{ token: number }>().token;
    expect(answer.status).toBeLessThan(path.startsWith('/admin') ? 500 : 300);
    const documented = operation.responses[String(answer.status)];
    expect(documented).toBeDefined();
    const [contentType, content] = Object.entries(documented?.content ?? {})[0] ?? [];
    if (!contentType || !content) return expect(answer.text).toBe('');
    expect(answer.headers['content-type']).toContain(contentType);
    expect(differences(content.schema, answer.json())).toEqual([]);
  });

  it('is true of the headers of writes, by their own examples', async () => {
    const path = '/v1/{ns}/objects/{id}';
    const operation = document.paths[path]?.['put'];
    if (!operation) throw new Error('not documented');
    const example = (name: string): string => {
      const header = operation.parameters?.find((one) => one.name === name && one.in === 'header');
      const value = header?.schema?.example;
      if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`no example of ${name}`);
      return String(value);
    };
    const { url, body } = exampleOf(path, operation);
    const put = (headers: Record<string, string>, json: unknown = body, to = url) =>
      test.send('PUT', to, { json, headers });
    const code = (answer: Awaited<ReturnType<typeof put>>): unknown => [
      answer.status,
      answer.status === 200 ? undefined : answer.json().code,
    ];

    const fresh = url.replace('task-1', 'fresh');
    const create = { 'if-none-match': example('If-None-Match') };
    // The id of the body's example is the one in the path.
    const content = { ...body, id: 'fresh' };
    expect(code(await put(create, content, fresh))).toEqual([200, undefined]);
    expect(code(await put(create, content, fresh))).toEqual([412, 'precondition_failed']);

    // The version of the example is a long past one, and of its form: the current one is taken.
    for (let count = 0; count < 12; count++) await put({});
    const match = (value: string) => put({ 'if-match': value });
    expect(code(await match(example('If-Match')))).toEqual([412, 'precondition_failed']);
    const current = (await test.send('GET', url)).headers.etag as string;
    expect(current).toMatch(/^"\d+"$/);
    expect(code(await match(current))).toEqual([200, undefined]);

    const once = { 'idempotency-key': example('Idempotency-Key') };
    const [first, second] = [await put(once), await put(once)];
    expect([first.status, second.text]).toEqual([200, first.text]);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(code(await put(once, { body: 'another' }))).toEqual([422, 'idempotency_key_reused']);

    const key = example('If-Resource');
    const lease = { key, owner: 'worker-1', ttl: 30 };
    const taken = await test.send('POST', '/v1/agent%3A%2F%2Fdemo/lease/acquire', { json: lease });
    const fence = (value: string) => put({ 'if-resource': key, 'if-fence': value });
    expect(code(await fence(example('If-Fence')))).toEqual([409, 'fence_stale']);
    expect(code(await fence(String(taken.json<{ token: number }>().token)))).toEqual([200, undefined]);
  });

  it('says all that a query can ask for', () => {
    const summary = document.paths['/v1/{ns}/query']?.['post']?.summary;
    for (const what of ['tags', 'type', 'prefix', 'where']) expect(summary).toContain(what);
  });

  it('is true of reads of the past', async () => {
    const { url, body } = exampleOf(
      '/v1/{ns}/objects/{id}',
      document.paths['/v1/{ns}/objects/{id}']?.['put'] ?? { responses: {} },
    );
    const names = document.paths['/v1/{ns}/objects/{id}']?.['get']?.parameters?.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['at_seq', 'at']));
    const before = (await test.send('PUT', url, { json: body })).json<{ commit_seq: number; ts: string }>();
    await test.send('PUT', url, { json: { body: 'later' } });
    const then = await test.send('GET', `${url}?at_seq=${before.commit_seq}`);
    expect(then.json()).toEqual(before);
    expect((await test.send('GET', `${url}?at_seq=${before.commit_seq}&at=${before.ts}`)).status).toBe(400);
  });

  it('is true of errors', async () => {
    for (const [method, url] of [
      ['GET', '/v1/a/objects/none'],
      ['PUT', '/v1/a/objects/x?y=1'],
    ] as const) {
      const answer = await test.send(method, url, method === 'PUT' ? { json: {} } : {});
      const responses = document.paths['/v1/{ns}/objects/{id}']?.[method.toLowerCase()]?.responses;
      const schema = responses?.[String(answer.status)]?.content?.['application/problem+json']?.schema;
      expect(schema).toBeDefined();
      expect(differences(schema ?? {}, answer.json())).toEqual([]);
    }
  });

  it('is true of the watch', async () => {
    const path = '/v1/{ns}/watch';
    const operation = document.paths[path]?.get;
    if (!operation) throw new Error('not documented');
    const contentType = await new Promise<string | undefined>((done, reject) => {
      get({ port: test.server.httpPort, path: exampleOf(path, operation).url, agent: false }, (incoming) => {
        done(incoming.headers['content-type']);
        incoming.destroy();
      }).on('error', reject);
    });
    expect(contentType).toContain(Object.keys(operation.responses['200']?.content ?? {})[0]);
  });

  it('has a page', async () => {
    const answer = await test.send('GET', '/docs');
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
    expect((await test.send('GET', '/docs/swagger-ui.css')).status).toBe(200);
  });
});
