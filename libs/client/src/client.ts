import { Calls } from './calls.js';
import { ConfigurationError } from './errors.js';
import type { Lease, LeaseRecord } from './lease/lease.js';
import type { LeaseOptions } from './lease/options.js';
import type { Mirror, MirrorOptions } from './mirror.js';
import { Namespace, type Watched } from './namespace.js';
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
import { type ClientOptions, type Endpoint, settingsOf } from './options.js';
import type { PageOptions, Pages } from './pages.js';
import type { BatchOptions, CallOptions, GetOptions, ReadOptions, WriteOptions } from './request-options.js';
import { SessionPositions } from './session.js';
import { type Answer, Transport } from './transport/transport.js';
import type { WatchOptions } from './watch/options.js';

/**
 * A client of AgentState. It holds no connection and needs no closing.
 *
 * ```ts
 * import { Client } from '@agentstate/client';
 *
 * const client = new Client('http://127.0.0.1:8080');
 * await client.put('agent://demo', { id: 'task-1', body: { status: 'running' } });
 * for await (const event of client.watch('agent://demo', { initial: true })) console.log(event.type, event.id);
 * // PUT task-1
 * ```
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #calls: Calls;
  readonly #positions: SessionPositions | undefined;

  /**
   * Makes a client. Whatever the options leave open has a default, or comes from the environment.
   * `new Client('http://a')`, `new Client(['http://a', 'http://b'], options)` and `new Client({ endpoints, … })` are
   * the same thing in different words.
   */
  constructor(endpoints?: string | readonly (string | Endpoint)[] | ClientOptions, options?: ClientOptions) {
    const isOptions = typeof endpoints === 'object' && !Array.isArray(endpoints);
    const all = isOptions ? { ...(endpoints as ClientOptions), ...options } : { ...options };
    const given = isOptions ? all.endpoints : ((endpoints as ClientOptions['endpoints']) ?? all.endpoints);
    this.#options = { ...all, ...(given !== undefined && { endpoints: given }) };
    this.#positions = all.session ? new SessionPositions() : undefined;
    const settings = settingsOf(this.#options);
    this.#transport = new Transport(settings);
    this.#calls = new Calls(this.#transport, settings, this.#positions);
  }

  /** A view that is bound to a namespace, with bodies of one type. */
  namespace<Body = unknown>(ns: string): Namespace<Body> {
    return new Namespace<Body>(this.#calls, ns);
  }

  /**
   * Another client of the same kind, whose reads may be answered by the nearest replica, but always show what it has
   * written and read before: see `ClientOptions.session`.
   */
  session(): Client {
    return new Client({ ...this.#options, session: true });
  }

  /** The newest position that this session has seen of a namespace, to be told to another program. */
  position(ns: string): number | undefined {
    return this.#positions?.get(ns);
  }

  /** From now on this session's reads show at least what is at this position. */
  saw(ns: string, position: number): void {
    if (this.#positions === undefined) throw new ConfigurationError('this client is no session');
    this.#positions.saw(ns, position);
  }

  /** Stores an object; one of the same id is replaced whole. Resolves when the write is durable on a quorum. */
  put<Body>(ns: string, object: PutObject<Body>, options?: WriteOptions): Promise<StoredObject<Body>> {
    return this.#calls.put(ns, object, options);
  }

  /** Gives an object, as it is or as it was at a moment; throws `NotFoundError` where there is none. */
  get<Body = unknown>(ns: string, id: string, options?: GetOptions): Promise<StoredObject<Body>> {
    return this.#calls.get(ns, id, options);
  }

  /** Gives an object as it was: after the write at this position, or at this time. */
  at<Body = unknown>(
    ns: string,
    moment: number | Date | string,
    id: string,
    options?: ReadOptions,
  ): Promise<StoredObject<Body>> {
    return this.namespace<Body>(ns).at(moment, id, options);
  }

  /** Changes parts of an object: a merge patch, or, as an array, a JSON patch. Throws `NotFoundError`. */
  patch<Body = unknown>(
    ns: string,
    id: string,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<StoredObject<Body>> {
    return this.#calls.patch(ns, id, patch, options);
  }

  /** Deletes an object; throws `NotFoundError` where there is none. */
  delete(ns: string, id: string, options?: WriteOptions): Promise<Deleted> {
    return this.#calls.delete(ns, id, options);
  }

  /** The objects in the order of their ids. */
  list<Body = unknown>(
    ns: string,
    options?: ReadOptions & PageOptions & { readonly prefix?: string },
  ): Pages<StoredObject<Body>> {
    return this.#calls.list(ns, options);
  }

  /** The objects that meet all conditions. */
  query<Body = unknown>(
    ns: string,
    query: Query,
    options?: ReadOptions & PageOptions,
  ): Pages<StoredObject<Body>> {
    return this.#calls.query(ns, query, options);
  }

  /** The versions of an object, newest first. */
  history<Body = unknown>(ns: string, id: string, options?: ReadOptions & PageOptions): Pages<Version<Body>> {
    return this.#calls.history(ns, id, options);
  }

  /** Carries out all operations at one position, or none of them; at most 128. */
  batch(ns: string, operations: readonly BatchOperation[], options?: BatchOptions): Promise<BatchResult> {
    return this.#calls.batch(ns, operations, options);
  }

  /** Gives every change once, in order, across any number of connections, until the loop is left. */
  watch<Body = unknown, const Options extends WatchOptions = WatchOptions>(
    ns: string,
    options?: Options,
  ): AsyncGenerator<Watched<Body, Options>, void, undefined> {
    return this.namespace<Body>(ns).watch(options);
  }

  /** Keeps a copy of a namespace in memory, and keeps it current. */
  mirror<Body = unknown>(ns: string, options?: MirrorOptions): Mirror<Body> {
    return this.#calls.mirror(ns, options);
  }

  /** Acquires a lease and keeps it until it is released: `await using lease = await client.lease(ns, 'key')`. */
  lease(ns: string, key: string, options?: LeaseOptions): Promise<Lease> {
    return this.#calls.lease(ns, key, options);
  }

  /** Runs `work` while a lease is held: see {@link Namespace.withLease}. */
  withLease<Result>(
    ns: string,
    key: string,
    options: LeaseOptions,
    work: (lease: Lease, view: Namespace) => Promise<Result>,
  ): Promise<Result> {
    return this.namespace(ns).withLease(key, options, work);
  }

  /** Who holds a lease; throws `NotFoundError` when nobody does. */
  leaseHolder(ns: string, key: string, options?: CallOptions): Promise<LeaseRecord> {
    return this.#calls.leaseHolder(ns, key, options);
  }

  /**
   * Any other request, for instance of `/admin`, with this client's endpoints, token and errors. It is retried as all
   * others are, so it must be one that may arrive twice, or carry an idempotency key.
   */
  request(
    method: string,
    path: string,
    options: CallOptions & {
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Answer> {
    const { body, headers, signal } = options;
    return this.#transport.send(
      {
        method,
        path,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      signal,
    );
  }
}
