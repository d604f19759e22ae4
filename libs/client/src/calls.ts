import { ConfigurationError, LeaseHeldError, ProtocolError } from './errors.js';
import type { Fence } from './lease/fence.js';
import { Lease, type LeaseRecord } from './lease/lease.js';
import type { LeaseOptions } from './lease/options.js';
import { Mirror, type MirrorOptions } from './mirror.js';
import type {
  BatchOperation,
  BatchResult,
  Deleted,
  Patch,
  PutObject,
  Query,
  StoredObject,
  Version,
} from './objects.js';
import type { Settings } from './options.js';
import { Pages, type PageOptions } from './pages.js';
import type { BatchOptions, CallOptions, GetOptions, ReadOptions, WriteOptions } from './request-options.js';
import type { SessionPositions } from './session.js';
import type { Answer, Transport } from './transport/transport.js';
import { reasonOf, wait } from './transport/waiting.js';
import type { WatchEvent } from './watch/events.js';
import type { WatchOptions } from './watch/options.js';
import { Watch } from './watch/watch.js';

/** How long a held lease is waited for at most before it is asked for again: its holder may let it go early. */
const LEASE_POLL_MS = 1_000;

/** Every request of the API, by namespace: what `Client` and `Namespace` are two faces of. */
export class Calls {
  constructor(
    private readonly transport: Transport,
    private readonly settings: Settings,
    readonly session?: SessionPositions,
  ) {}

  async put<Body>(ns: string, object: PutObject<Body>, options?: WriteOptions): Promise<StoredObject<Body>> {
    const { id, ...rest } = object;
    // Without an id the server makes one, and the idempotency key keeps a retry from making another.
    return id === undefined
      ? this.write(ns, 'POST', '/objects', rest, options)
      : this.write(ns, 'PUT', objectPath(id), rest, options);
  }

  async get<Body>(ns: string, id: string, options: GetOptions = {}): Promise<StoredObject<Body>> {
    const { at, atSeq } = options;
    const search = {
      ...(atSeq !== undefined && { at_seq: `${atSeq}` }),
      ...(at !== undefined && { at: typeof at === 'string' ? at : at.toISOString() }),
    };
    const { json } = await this.read(ns, 'GET', objectPath(id), search, options);
    return objectOf<StoredObject<Body>>(json);
  }

  patch<Body>(ns: string, id: string, patch: Patch, options?: WriteOptions): Promise<StoredObject<Body>> {
    const type = Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json';
    return this.write(ns, 'PATCH', objectPath(id), patch, options, type);
  }

  async delete(ns: string, id: string, options?: WriteOptions): Promise<Deleted> {
    const answer = await this.send(ns, 'DELETE', objectPath(id), undefined, writeHeaders(options), options);
    return { commit_seq: positionOf(answer) ?? 0 };
  }

  list<Body>(
    ns: string,
    options: ReadOptions & PageOptions & { readonly prefix?: string } = {},
  ): Pages<StoredObject<Body>> {
    const { prefix } = options;
    return this.pages(ns, '/objects', prefix === undefined ? {} : { prefix }, options);
  }

  history<Body>(ns: string, id: string, options: ReadOptions & PageOptions = {}): Pages<Version<Body>> {
    return this.pages(ns, `${objectPath(id)}/history`, {}, options);
  }

  query<Body>(ns: string, query: Query, options: ReadOptions & PageOptions = {}): Pages<StoredObject<Body>> {
    return new Pages(async (limit, cursor) => {
      const body = { ...query, limit, ...(cursor !== undefined && { cursor }) };
      return pageOf(await this.read(ns, 'POST', '/query', {}, options, body));
    }, options);
  }

  batch(ns: string, operations: readonly BatchOperation[], options?: BatchOptions): Promise<BatchResult> {
    return this.write(ns, 'POST', '/batch', { ops: operations }, options);
  }

  watch(ns: string, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    return new Watch(this.transport, ns, options, this.settings.retry).events();
  }

  mirror<Body>(ns: string, { prefix, signal }: MirrorOptions = {}): Mirror<Body> {
    const options = {
      initial: true,
      bookmarks: true,
      resync: 'continue',
      ...(prefix && { prefix }),
    } as const;
    return new Mirror<Body>(
      (ending) =>
        new Watch(this.transport, ns, { ...options, signal: ending }, this.settings.retry).events<Body>(),
      signal,
    );
  }

  async lease(ns: string, key: string, options: LeaseOptions = {}): Promise<Lease> {
    const { ttlSeconds = 30, owner = randomName(), waitMs = 0, signal } = options;
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      const askedMs = performance.now();
      try {
        const body = { key, owner, ttl: ttlSeconds };
        const record = await this.write<LeaseRecord>(ns, 'POST', '/lease/acquire', body, options);
        return new Lease(record, this.leaseRequests(ns), ttlSeconds, askedMs);
      } catch (error) {
        if (!(error instanceof LeaseHeldError) || performance.now() >= deadlineMs) throw error;
        const endsMs = Date.parse(error.expiresAt ?? '') - Date.now();
        const pollMs = Math.min(Math.max(Number.isNaN(endsMs) ? LEASE_POLL_MS : endsMs, 20), LEASE_POLL_MS);
        // Chance keeps those who wait for the same lease apart.
        const leftMs = deadlineMs - performance.now();
        await wait(Math.max(0, Math.min(pollMs / 2 + (Math.random() * pollMs) / 2, leftMs)), signal);
      }
    }
  }

  async leaseHolder(ns: string, key: string, options?: CallOptions): Promise<LeaseRecord> {
    const path = `/lease/${encodeURIComponent(key)}`;
    const { json } = await this.send(ns, 'GET', path, undefined, callHeaders(options), options);
    return objectOf<LeaseRecord>(json);
  }

  private leaseRequests(ns: string): ConstructorParameters<typeof Lease>[1] {
    return {
      renew: ({ key, owner, token }, ttl, signal) =>
        this.write(ns, 'POST', '/lease/renew', { key, owner, token, ttl }, { signal }),
      release: async ({ key, owner, token }) => {
        await this.send(ns, 'POST', '/lease/release', { key, owner, token }, writeHeaders(undefined));
      },
    };
  }

  private pages<Item>(
    ns: string,
    path: string,
    search: Record<string, string>,
    options: ReadOptions & PageOptions,
  ): Pages<Item> {
    return new Pages(async (limit, cursor) => {
      const paged = { ...search, limit: `${limit}`, ...(cursor !== undefined && { cursor }) };
      return pageOf(await this.read(ns, 'GET', path, paged, options));
    }, options);
  }

  private async write<Result>(
    ns: string,
    method: string,
    path: string,
    body: object,
    options?: WriteOptions,
    contentType?: string,
  ): Promise<Result> {
    const headers = writeHeaders(options);
    if (contentType !== undefined) headers['content-type'] = contentType;
    const { json } = await this.send(ns, method, path, body, headers, options);
    return objectOf<Result>(json);
  }

  private read(
    ns: string,
    method: string,
    path: string,
    search: Record<string, string>,
    options: ReadOptions,
    body?: object,
  ): Promise<Answer> {
    const all = new URLSearchParams({ ...search, ...this.consistency(ns, options) }).toString();
    return this.send(ns, method, all === '' ? path : `${path}?${all}`, body, callHeaders(options), options);
  }

  private consistency(ns: string, { consistency, minSeq }: ReadOptions): Record<string, string> {
    const seen = this.session?.get(ns);
    const kind = consistency ?? (seen === undefined && minSeq === undefined ? 'linearizable' : 'stale');
    if (kind === 'linearizable') return {};
    const least = Math.max(minSeq ?? 0, seen ?? 0);
    return { consistency: 'stale', ...(least > 0 && { min_seq: `${least}` }) };
  }

  private async send(
    ns: string,
    method: string,
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
    options?: CallOptions,
  ): Promise<Answer> {
    if (options?.signal?.aborted) throw reasonOf(options.signal);
    if (body !== undefined) headers['content-type'] ??= 'application/json';
    const request = {
      method,
      path: `/v1/${encodeURIComponent(ns)}${path}`,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const answer = await this.transport.send(request, options?.signal);
    const position = this.session && positionOf(answer);
    if (position !== undefined) this.session?.saw(ns, position);
    return answer;
  }
}

const objectPath = (id: string): string => `/objects/${encodedId(id)}`;

/** `.` and `..` would be taken for steps of the path, also when they are encoded (WHATWG URL, section 4.4). */
function encodedId(id: string): string {
  if (id === '' || id === '.' || id === '..') {
    throw new ConfigurationError(`${JSON.stringify(id)} cannot stand in the path of a request`);
  }
  return encodeURIComponent(id);
}

function callHeaders(options: CallOptions | undefined): Record<string, string> {
  return options?.requestId === undefined ? {} : { 'x-request-id': options.requestId };
}

function writeHeaders(options: WriteOptions | undefined): Record<string, string> {
  const headers = callHeaders(options);
  headers['idempotency-key'] = options?.idempotencyKey ?? randomName();
  if (options?.ifMatch !== undefined) headers['if-match'] = `"${options.ifMatch}"`;
  if (options?.ifNoneMatch !== undefined) headers['if-none-match'] = options.ifNoneMatch;
  if (options?.lease !== undefined) Object.assign(headers, fenceHeaders(options.lease));
  return headers;
}

/** A lease that is known to be lost is not even asked about: its signal says why. */
function fenceHeaders(lease: Fence): Record<string, string> {
  if (lease instanceof Lease) lease.signal.throwIfAborted();
  return { 'if-resource': lease.key, 'if-fence': `${lease.token}` };
}

/** 122 bits of chance, also where `crypto.randomUUID` is missing because the page is not secure. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function positionOf({ headers }: Answer): number | undefined {
  const position = Number(headers.get('x-commit-seq') ?? NaN);
  return Number.isSafeInteger(position) ? position : undefined;
}

function objectOf<Result>(json: unknown): Result {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Result;
  throw new ProtocolError('the answer is not an object, as a node would send it');
}

function pageOf<Item>({ json, headers }: Answer): {
  readonly items: readonly Item[];
  readonly nextCursor: string | undefined;
} {
  if (!Array.isArray(json)) throw new ProtocolError('the answer is not a page, as a node would send it');
  return { items: json as Item[], nextCursor: headers.get('x-next-cursor') ?? undefined };
}
