import type { FastifyReply } from 'fastify';
import type { WatchSink } from '#watch';

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

  end(): void {
    this.open();
    this.reply.raw.end();
  }
}
