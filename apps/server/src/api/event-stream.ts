import type { FastifyReply } from 'fastify';
import type { WatchDropReason, WatchEndReason, WatchSink } from '#watch';

/** How long a client may take to read the end of its stream, after which its connection is cut. */
const END_GRACE_MS = 10_000;
/** The same for one that has not read anything for a while. */
const STALLED_GRACE_MS = 500;

/**
 * A watcher's answer as `text/event-stream`, written to the socket without chunked coding: the stream ends with
 * its connection anyway, and a chunk shared by many watchers then goes out as it is. Headers leave with the
 * first write, so that an error before it can still be an ordinary answer.
 */
export class EventStream implements WatchSink {
  private isOpen = false;

  constructor(private readonly reply: FastifyReply) {}

  /** Sends the headers, once. */
  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.reply.hijack();
    const response = this.reply.raw;
    response.useChunkedEncodingByDefault = false;
    for (const [name, value] of Object.entries(this.reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    response.flushHeaders();
  }

  write(chunk: Uint8Array): boolean {
    this.open();
    return this.reply.raw.write(chunk);
  }

  end(cause?: WatchEndReason | WatchDropReason): void {
    this.open();
    const response = this.reply.raw;
    response.end();
    // Who does not read the end either would keep the socket, and what is buffered for it, for ever.
    const graceMs = cause === 'stalled' ? STALLED_GRACE_MS : END_GRACE_MS;
    const timer = setTimeout(() => response.destroy(), graceMs);
    timer.unref();
    response.once('close', () => clearTimeout(timer));
  }
}
