import { ProtocolError } from '../errors.js';

/** One event of a `text/event-stream`. */
export interface StreamEvent {
  readonly data: string;
  /** Present when this event has an `id:` line of its own. */
  readonly id: string | undefined;
}

/**
 * Takes a `text/event-stream` apart (WHATWG HTML, section 9.2.6) as its bytes come. It holds at most one event, of at
 * most `maxEventBytes` (counted as UTF-16 units): whatever sends more without an end is no node.
 */
export class EventStreamParser {
  private readonly decoder = new TextDecoder();
  /** The beginning of a line whose end has not come yet. */
  private line: string[] = [];
  private data: string | undefined;
  private id: string | undefined;
  private held = 0;
  private endedWithReturn = false;

  constructor(private readonly maxEventBytes: number) {}

  /** The events that are complete with these bytes. */
  push(bytes: Uint8Array): readonly StreamEvent[] {
    const text = this.withLineFeeds(this.decoder.decode(bytes, { stream: true }));
    const events: StreamEvent[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      let line = text.slice(start, end);
      start = end + 1;
      if (this.line.length > 0) {
        line = this.line.join('') + line;
        this.line = [];
      }
      const event = this.take(line);
      if (event !== undefined) events.push(event);
    }
    if (start < text.length) {
      const rest = text.slice(start);
      this.line.push(rest);
      this.count(rest.length);
    }
    return events;
  }

  private take(line: string): StreamEvent | undefined {
    if (line === '') {
      const { data, id } = this;
      this.data = this.id = undefined;
      this.held = 0;
      return data === undefined ? undefined : { data, id };
    }
    const colon = line.indexOf(':');
    // A comment is over with its line: many of them between two events hold no memory.
    if (colon === 0) {
      this.held = this.data?.length ?? 0;
      return undefined;
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.data = this.data === undefined ? value : `${this.data}\n${value}`;
      this.held = 0;
      this.count(this.data.length);
    } else if (field === 'id' && !value.includes('\0')) {
      this.id = value;
    }
    return undefined;
  }

  private count(length: number): void {
    this.held += length;
    if (this.held > this.maxEventBytes) {
      throw new ProtocolError(`a watch event of more than ${this.maxEventBytes} bytes`);
    }
  }

  /** A line may end with CR, LF or both; a node sends LF, so that this costs one look. */
  private withLineFeeds(text: string): string {
    const wasReturn = this.endedWithReturn;
    if (!wasReturn && !text.includes('\r')) return text;
    if (text === '') return text;
    this.endedWithReturn = text.endsWith('\r');
    const rest = wasReturn && text.startsWith('\n') ? text.slice(1) : text;
    return rest.replace(/\r\n?/g, '\n');
  }
}
