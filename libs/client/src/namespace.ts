import type { Calls } from './calls.js';
import type { Fence } from './lease/fence.js';
import type { Lease, LeaseRecord } from './lease/lease.js';
import type { LeaseOptions } from './lease/options.js';
import type { Mirror, MirrorOptions } from './mirror.js';
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
import type { PageOptions, Pages } from './pages.js';
import type { BatchOptions, CallOptions, GetOptions, ReadOptions, WriteOptions } from './request-options.js';
import type { BookmarkEvent, ChangeEvent, ResyncEvent } from './watch/events.js';
import type { WatchOptions } from './watch/options.js';

/** The events that a watch with these options gives. */
export type Watched<Body, Options extends WatchOptions> =
  | ChangeEvent<Body>
  | (Options extends { readonly bookmarks: true } ? BookmarkEvent : never)
  | (Options extends { readonly resync: 'continue' } ? ResyncEvent : never);

/** A client bound to one namespace, whose bodies are of one type. Made by `client.namespace(ns)`. */
export class Namespace<Body = unknown> {
  constructor(
    private readonly calls: Calls,
    /** As in `client.namespace(name)`. */
    readonly name: string,
    private readonly fence?: Fence,
  ) {}

  /** Stores an object; one of the same id is replaced whole. Resolves when the write is durable on a quorum. */
  put(object: PutObject<Body>, options?: WriteOptions): Promise<StoredObject<Body>> {
    return this.calls.put<Body>(this.name, object, this.fenced(options));
  }

  /** Gives an object, as it is or as it was at a moment; throws `NotFoundError` where there is none. */
  get(id: string, options?: GetOptions): Promise<StoredObject<Body>> {
    return this.calls.get<Body>(this.name, id, options);
  }

  /** Gives an object as it was: after the write at this position, or at this time. */
  at(moment: number | Date | string, id: string, options?: ReadOptions): Promise<StoredObject<Body>> {
    return this.get(id, { ...options, ...(typeof moment === 'number' ? { atSeq: moment } : { at: moment }) });
  }

  /** Changes parts of an object: a merge patch, or, as an array, a JSON patch. Throws `NotFoundError`. */
  patch(id: string, patch: Patch, options?: WriteOptions): Promise<StoredObject<Body>> {
    return this.calls.patch<Body>(this.name, id, patch, this.fenced(options));
  }

  /** Deletes an object; throws `NotFoundError` where there is none. */
  delete(id: string, options?: WriteOptions): Promise<Deleted> {
    return this.calls.delete(this.name, id, this.fenced(options));
  }

  /** The objects in the order of their ids. */
  list(options?: ReadOptions & PageOptions & { readonly prefix?: string }): Pages<StoredObject<Body>> {
    return this.calls.list<Body>(this.name, options);
  }

  /** The objects that meet all conditions. */
  query(query: Query, options?: ReadOptions & PageOptions): Pages<StoredObject<Body>> {
    return this.calls.query<Body>(this.name, query, options);
  }

  /** The versions of an object, newest first. */
  history(id: string, options?: ReadOptions & PageOptions): Pages<Version<Body>> {
    return this.calls.history<Body>(this.name, id, options);
  }

  /** Carries out all operations at one position, or none of them; at most 128. */
  batch(operations: readonly BatchOperation[], options?: BatchOptions): Promise<BatchResult> {
    return this.calls.batch(this.name, operations, this.fenced(options));
  }

  /** Gives every change once, in order, across any number of connections, until the loop is left. */
  watch<const Options extends WatchOptions = WatchOptions>(
    options?: Options,
  ): AsyncGenerator<Watched<Body, Options>, void, undefined> {
    return this.calls.watch(this.name, options ?? {}) as AsyncGenerator<
      Watched<Body, Options>,
      void,
      undefined
    >;
  }

  /** Keeps a copy of the namespace in memory, and keeps it current. */
  mirror(options?: MirrorOptions): Mirror<Body> {
    return this.calls.mirror<Body>(this.name, options);
  }

  /** Acquires a lease and keeps it until it is released: `await using lease = await ns.lease('key')`. */
  lease(key: string, options?: LeaseOptions): Promise<Lease> {
    return this.calls.lease(this.name, key, options);
  }

  /**
   * Runs `work` while a lease is held and releases it afterwards. The view that `work` gets writes only while the
   * lease is held. When the lease is lost, its signal is aborted and the result is the error, once `work` is over.
   */
  async withLease<Result>(
    key: string,
    options: LeaseOptions,
    work: (lease: Lease, view: Namespace<Body>) => Promise<Result>,
  ): Promise<Result> {
    const lease = await this.lease(key, options);
    try {
      const result = await work(lease, this.fencedBy(lease));
      lease.signal.throwIfAborted();
      return result;
    } finally {
      await lease.release();
    }
  }

  /** Who holds a lease; throws `NotFoundError` when nobody does. */
  leaseHolder(key: string, options?: CallOptions): Promise<LeaseRecord> {
    return this.calls.leaseHolder(this.name, key, options);
  }

  /** The same namespace, whose writes happen only while the lease is held. */
  fencedBy(lease: Fence): Namespace<Body> {
    return new Namespace(this.calls, this.name, lease);
  }

  private fenced(options: WriteOptions | undefined): WriteOptions | undefined {
    return this.fence === undefined ? options : { lease: this.fence, ...options };
  }
}
