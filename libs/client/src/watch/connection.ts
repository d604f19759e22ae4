import { ConnectionError, ProtocolError } from '../errors.js';
import type { Transport } from '../transport/transport.js';
import { reasonOf } from '../transport/waiting.js';
import { EventStreamParser, type StreamEvent } from './event-stream.js';

export interface ConnectionOptions {
  readonly silenceMs: number;
  readonly maxEventBytes: number;
}

/** One connection of a watch, read as the caller asks for more: a slow caller slows the node's sending. */
export class WatchConnection {
  private readonly ending = new AbortController();
  private readonly onAbort = (): void => this.ending.abort(this.signal.reason);
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private hasFailed: (() => void) | undefined;
  private readonly parser: EventStreamParser;

  constructor(
    private readonly transport: Transport,
    private readonly signal: AbortSignal,
    private readonly options: ConnectionOptions,
  ) {
    this.parser = new EventStreamParser(options.maxEventBytes);
    if (signal.aborted) this.onAbort();
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Resolves when a node has agreed to stream. */
  async open(path: string, headers: Record<string, string>): Promise<void> {
    const request = { method: 'GET', path, headers: { ...headers, accept: 'text/event-stream' } };
    const { response, failed } = await this.transport.open(request, this.ending.signal);
    this.hasFailed = failed;
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('text/event-stream') || response.body === null) {
      throw new ProtocolError('the answer to a watch is no event stream, as a node would send it');
    }
    this.reader = response.body.getReader();
  }

  /** The events that have come, at least one; `undefined` when the node has ended the stream. */
  async read(): Promise<readonly StreamEvent[] | undefined> {
    const { reader } = this;
    if (reader === undefined) throw new Error('a connection is read before it is open');
    const { silenceMs } = this.options;
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new ConnectionError(`the watch was silent for ${silenceMs} ms`)),
          silenceMs,
        );
      });
      try {
        const { done, value } = await Promise.race([reader.read(), silence]);
        if (done) return undefined;
        const events = this.parser.push(value);
        if (events.length > 0) return events;
      } catch (error) {
        if (this.signal.aborted) throw reasonOf(this.signal);
        if (error instanceof ConnectionError || error instanceof ProtocolError) throw error;
        throw new ConnectionError('the connection of the watch broke', { cause: error });
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** Another node is asked before this one. */
  avoidNode(): void {
    this.hasFailed?.();
  }

  close(): void {
    this.signal.removeEventListener('abort', this.onAbort);
    this.ending.abort(new Error('the watch has closed this connection'));
    // What an aborted stream still had to say is of no interest.
    this.reader?.cancel().catch(() => undefined);
  }
}
