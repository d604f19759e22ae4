import { ProtocolError } from '../errors.js';

/** One event of a `text/event-stream`. */
export interface StreamEvent {
  readonly data: string;
  /** Present when this event has an `id:` line of its own. */
  readonly id: string | undefined;
}

/**
 * Takes a `text/event-stream` apart (WHATWG HTML, section 9.2.6) as its bytes come. It holds at most one line and one
 * event, each of at most `maxEventBytes` (counted as UTF-16 units): whatever sends more without an end is no node.
 * How the bytes are cut into chunks makes no difference to that.
 */
export class EventStreamParser {
  private readonly decoder = new TextDecoder();
  /** The beginning of a line whose end has not come yet. */
  private line: string[] = [];
  private lineLength = 0;
  private data: string | undefined;
  private id: string | undefined;
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
        this.lineLength = 0;
      }
      this.limit(line.length);
      const event = this.take(line);
      if (event !== undefined) events.push(event);
    }
    if (start < text.length) {
      const rest = text.slice(start);
      this.line.push(rest);
      this.lineLength += rest.length;
      this.limit(this.lineLength);
    }
    return events;
  }

  private take(line: string): StreamEvent | undefined {
    if (line === '') {
      const { data, id } = this;
      this.data = this.id = undefined;
      return data === undefined ? undefined : { data, id };
    }
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.data = this.data === undefined ? value : `${this.data}\n${value}`;
    } else if (field === 'id' && !value.includes('\0')) {
      this.id = value;
    }
    this.limit((this.data?.length ?? 0) + (this.id?.length ?? 0));
    return undefined;
  }

  private limit(length: number): void {
    if (length > this.maxEventBytes) {
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
