import { ApiError, CompactedError, ConnectionError, ProtocolError, ResyncRequired } from '../errors.js';
import type { RetryOptions } from '../options.js';
import type { Transport } from '../transport/transport.js';
import { backoffMs, wait } from '../transport/waiting.js';
import { CheckpointWriter } from './checkpoint.js';
import { WatchConnection } from './connection.js';
import type { ChangeEvent, ResyncEvent, ResyncReason, WatchEvent } from './events.js';
import type { StreamEvent } from './event-stream.js';
import type { WatchOptions } from './options.js';
import { Progress } from './progress.js';

/** What goes over the wire, before it is told apart. */
interface WireEvent {
  readonly type: string;
  readonly commit_seq: number;
  readonly last_commit?: number;
  readonly retry_after_ms?: number;
  readonly reason?: string;
  readonly object?: { readonly body: unknown };
  body?: unknown;
}

/** Statuses after which the same watch may well succeed later; others will not get better by asking again. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** A node may answer for other nodes that have gone; the wait grows to this. */
const LONGEST_WAIT_MS = 10_000;

/** The changes of a namespace, over as many connections as it takes. */
export class Watch {
  private readonly aborted: AbortSignal;
  private progress = new Progress(undefined, false);
  private failures = 0;
  /** Whether some connection has stood: then the watch outlasts any trouble. */
  private hasStood = false;
  private resync: ResyncEvent | undefined;
  private overflowWaitMs = 0;

  constructor(
    private readonly transport: Transport,
    private readonly ns: string,
    private readonly options: WatchOptions,
    private readonly retry: Required<RetryOptions>,
  ) {
    this.aborted = options.signal ?? new AbortController().signal;
  }

  async *events<Body>(): AsyncGenerator<WatchEvent<Body>, void, undefined> {
    const { checkpoint, checkpointIntervalMs = 1_000, bookmarks = false } = this.options;
    const saved = await checkpoint?.load();
    const writer = checkpoint && new CheckpointWriter(checkpoint, checkpointIntervalMs);
    this.progress = this.beginning(saved);
    try {
      while (!this.aborted.aborted) {
        if (this.resync) {
          const event = this.resync;
          this.resync = undefined;
          yield event;
        }
        const connection = this.connection();
        try {
          for await (const { event, position } of this.eventsOf(connection)) {
            if (event && (bookmarks || event.type !== 'BOOKMARK')) yield event as WatchEvent<Body>;
            if (position !== undefined) await writer?.processed(position);
          }
        } finally {
          connection.close();
        }
        await this.pause();
      }
    } catch (error) {
      if (!this.aborted.aborted) throw error;
    } finally {
      await writer?.flush();
    }
  }

  private beginning(saved: number | undefined): Progress {
    const { after, fromCommit, initial = false } = this.options;
    if (saved !== undefined) return new Progress(saved, false);
    if (initial && (after !== undefined || fromCommit !== undefined)) {
      throw new TypeError('a watch starts with the initial state or at a position, not both');
    }
    return new Progress(
      after ?? (fromCommit === undefined ? undefined : Math.max(0, fromCommit - 1)),
      initial,
    );
  }

  private connection(): WatchConnection {
    const { silenceMs = 20_000, maxEventBytes = 16 * 1024 * 1024 } = this.options;
    return new WatchConnection(this.transport, this.aborted, { silenceMs, maxEventBytes });
  }

  /** Gives the events of one connection until it ends; throws only what ends the watch. */
  private async *eventsOf(
    connection: WatchConnection,
  ): AsyncGenerator<{ readonly event?: WatchEvent; readonly position?: number }, void, undefined> {
    try {
      await connection.open(this.path(), this.headers());
      this.hasStood = true;
      this.progress.connected();
      for (;;) {
        const events = await connection.read();
        if (events === undefined) throw new ConnectionError('the watch ended');
        for (const streamed of events) {
          const wire = parsed(streamed);
          if (wire.type === 'END') {
            throw new ConnectionError(`the node ends the watch (${wire.reason ?? 'unknown'})`);
          }
          if (wire.type === 'OVERFLOW') return this.overflow(wire);
          yield* this.taken(streamed, wire);
          this.failures = 0;
        }
      }
    } catch (error) {
      if (error instanceof ConnectionError) connection.avoidNode();
      this.outlast(error);
    }
  }

  private *taken(
    { id }: StreamEvent,
    wire: WireEvent,
  ): Generator<{ readonly event?: WatchEvent; readonly position?: number }, void, undefined> {
    const { progress } = this;
    if (wire.type === 'PUT' || wire.type === 'DELETE') {
      if (wire.object) wire.body = wire.object.body;
      const event = wire as ChangeEvent;
      const isNew = progress.take(event);
      if (isNew) yield { event };
    }
    const position = id === undefined || !/^\d{1,16}$/.test(id) ? undefined : Number(id);
    if (position === undefined) return;
    for (const event of progress.reached(position, this.ns)) yield { event };
    // Saved only now, when the caller has come back for more.
    yield wire.type === 'BOOKMARK' ? { event: wire as WatchEvent, position } : { position };
  }

  /** This program is too slow. What follows `last_commit` comes after some time, unless the state was not complete. */
  private overflow({ last_commit: last, retry_after_ms: waitMs = 0 }: WireEvent): void {
    const { progress } = this;
    if (last !== undefined && !progress.wantsInitial) progress.reached(last, this.ns);
    this.handOver('overflow');
    this.overflowWaitMs = waitMs;
  }

  private handOver(reason: ResyncReason, firstAvailable?: number): void {
    const position = this.progress.position ?? 0;
    if (this.options.resync !== 'continue') throw new ResyncRequired(reason, position, firstAvailable);
    this.resync = {
      type: 'RESYNC',
      ns: this.ns,
      reason,
      position,
      ...(firstAvailable !== undefined && { first_available: firstAvailable }),
    };
  }

  /** Returns when another connection may help; throws when it will not. */
  private outlast(error: unknown): void {
    if (this.aborted.aborted) throw error;
    if (error instanceof CompactedError) {
      this.handOver('compacted', error.firstAvailable);
      this.progress.startOver();
      return;
    }
    const passes =
      error instanceof ConnectionError || (error instanceof ApiError && PASSING.has(error.status));
    if (!passes || !this.hasStood) throw error;
    this.failures++;
    this.options.onDisconnect?.(error);
  }

  private async pause(): Promise<void> {
    const waitMs = this.overflowWaitMs;
    this.overflowWaitMs = 0;
    if (waitMs > 0) await wait(waitMs, this.aborted);
    if (this.failures === 0) return;
    await wait(
      backoffMs(Math.min(this.failures, 30), { ...this.retry, maxDelayMs: LONGEST_WAIT_MS }),
      this.aborted,
    );
  }

  private path(): string {
    const { prefix, type, tags } = this.options;
    const search = new URLSearchParams();
    if (prefix !== undefined) search.set('prefix', prefix);
    if (type !== undefined) search.set('type', type);
    for (const [name, value] of Object.entries(tags ?? {})) search.set(`tag.${name}`, value);
    if (this.progress.wantsInitial) search.set('initial', 'true');
    return `/v1/${encodeURIComponent(this.ns)}/watch?${search.toString()}`;
  }

  private headers(): Record<string, string> {
    const { position, wantsInitial } = this.progress;
    return position === undefined || wantsInitial ? {} : { 'last-event-id': `${position}` };
  }
}

function parsed({ data }: StreamEvent): WireEvent {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    throw new ProtocolError('an event of the watch is not JSON, as a node would send it');
  }
  if (typeof event !== 'object' || event === null || typeof (event as WireEvent).type !== 'string') {
    throw new ProtocolError('an event of the watch is no event, as a node would send it');
  }
  return event as WireEvent;
}
