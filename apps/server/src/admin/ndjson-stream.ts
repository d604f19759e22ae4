import type { FastifyReply } from 'fastify';
import type { DumpStream } from '#replication';

/** Bytes that are handed to the connection at a time; it is asked for more when they have left. */
const PIECE_BYTES = 131_072;
const LINE_END = Buffer.from('\n');

/**
 * A dump as `application/x-ndjson`: one object a line, read as fast as the client takes it and no faster. A client
 * that goes away ends it. A failure on the way cuts the connection, so that half a dump never looks like a whole one.
 */
export class NdjsonStream {
  constructor(
    private readonly reply: FastifyReply,
    private readonly dump: DumpStream,
  ) {}

  start(): void {
    this.reply.hijack();
    const response = this.reply.raw;
    for (const [name, value] of Object.entries(this.reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.setHeader('content-type', 'application/x-ndjson; charset=utf-8');
    response.writeHead(200);
    response.on('drain', () => this.more());
    response.on('close', () => this.dump.close());
    response.on('error', () => this.dump.close());
    this.more();
  }

  private more(): void {
    const response = this.reply.raw;
    if (response.destroyed || response.writableEnded) return;
    try {
      const objects = this.dump.next(PIECE_BYTES);
      if (objects.length === 0) {
        response.end();
        return;
      }
      const isTaken = response.write(Buffer.concat(objects.flatMap((object) => [object, LINE_END])));
      // A fast client must not keep everybody else waiting: there is a turn between two pieces.
      if (isTaken) setImmediate(() => this.more());
    } catch (error) {
      response.destroy(error as Error);
    }
  }
}
