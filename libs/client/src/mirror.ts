/// <reference lib="esnext.disposable" preserve="true" />
import { AgentStateError } from './errors.js';
import type { StoredObject } from './objects.js';
import type { ChangeEvent, WatchEvent } from './watch/events.js';

/** What of a namespace is kept. Only by id: other filters would not be told when an object stops to match. */
export interface MirrorOptions {
  /** Beginning of the ids. */
  readonly prefix?: string;
  /** Ends the mirror. */
  readonly signal?: AbortSignal;
}

/** Told of each change after the copy has it. */
export type MirrorListener<Body> = (change: ChangeEvent<Body>) => void;
type Stream<Body> = AsyncIterable<WatchEvent<Body>>;

/**
 * A copy of a namespace in memory that follows every change: the state at {@link position}, which is behind the newest
 * write by a network's delay. The changes of a batch come into it one after another. When the connection is away it
 * stays as it is, and catches up afterwards.
 */
export class Mirror<Body = unknown> implements AsyncDisposable {
  private objects = new Map<string, StoredObject<Body>>();
  /** What a new initial state has brought so far, while the old copy is still shown. */
  private loading: Map<string, StoredObject<Body>> | undefined = new Map();
  private readonly listeners = new Set<MirrorListener<Body>>();
  private readonly ending = new AbortController();
  private seq = 0;
  private isComplete = false;
  /** Resolves when the copy is complete; rejects when it cannot be made. */
  readonly ready: Promise<void>;
  /** Resolves when the mirror was closed; rejects when it had to end, for instance without permission. */
  readonly ended: Promise<void>;
  private becomeReady: () => void = () => undefined;

  constructor(open: (signal: AbortSignal) => Stream<Body>, signal?: AbortSignal) {
    const onAbort = (): void => this.ending.abort();
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const complete = new Promise<void>((resolve) => (this.becomeReady = resolve));
    this.ended = this.follow(open(this.ending.signal)).finally(() =>
      signal?.removeEventListener('abort', onAbort),
    );
    const endedEarly = this.ended.then(() => {
      if (!this.isComplete) throw new AgentStateError('the mirror was closed before it was complete');
    });
    this.ready = Promise.race([complete, endedEarly]);
    // Whoever does not ask is not to be ended by it.
    this.ready.catch(() => undefined);
    this.ended.catch(() => undefined);
    endedEarly.catch(() => undefined);
  }

  /** The object as the copy has it; `undefined` when there is none. */
  get(id: string): StoredObject<Body> | undefined {
    return this.objects.get(id);
  }
  /** Whether the copy has an object of this id. */
  has(id: string): boolean {
    return this.objects.has(id);
  }
  /** How many objects the copy has. */
  get size(): number {
    return this.objects.size;
  }
  /** All objects by their ids. */
  entries(): IterableIterator<[string, StoredObject<Body>]> {
    return this.objects.entries();
  }
  /** The copy is the state at this position; 0 before it is complete. */
  get position(): number {
    return this.seq;
  }

  /** Calls the listener for each change from now on; the result ends that. */
  subscribe(listener: MirrorListener<Body>): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Ends it; the copy can still be read. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.ended.catch(() => undefined);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async follow(events: Stream<Body>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'RESYNC') {
        if (event.reason === 'compacted') this.loading = new Map();
      } else if (event.type === 'BOOKMARK') {
        this.complete(event.commit_seq);
      } else if (this.loading !== undefined) {
        if (event.type === 'PUT') this.loading.set(event.id, event.object);
        else this.loading.delete(event.id);
      } else {
        this.apply(event);
      }
    }
  }

  private apply(event: ChangeEvent<Body>): void {
    if (event.type === 'PUT') this.objects.set(event.id, event.object);
    else this.objects.delete(event.id);
    this.seq = event.commit_seq;
    for (const listener of this.listeners) listener(event);
  }

  /** A bookmark completes an initial state. What differs from the copy until now is told as changes. */
  private complete(position: number): void {
    const { loading, objects } = this;
    this.seq = position;
    if (loading === undefined) return;
    this.loading = undefined;
    this.isComplete = true;
    this.objects = loading;
    this.becomeReady();
    if (this.listeners.size === 0) return;
    for (const object of loading.values()) {
      if (objects.get(object.id)?.commit_seq !== object.commit_seq) this.tell(putOf(object));
    }
    const ts = new Date().toISOString();
    for (const { id, ns } of objects.values()) {
      if (!loading.has(id)) this.tell({ type: 'DELETE', ns, id, commit_seq: position, ts, reason: 'delete' });
    }
  }

  private tell(event: ChangeEvent<Body>): void {
    for (const listener of this.listeners) listener(event);
  }
}

const putOf = <Body>(object: StoredObject<Body>): ChangeEvent<Body> => {
  const { id, ns, commit_seq, ts, body } = object;
  return { type: 'PUT', ns, id, commit_seq, ts, object, body };
};
