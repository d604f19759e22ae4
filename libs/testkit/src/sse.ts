/** One dispatched event of an event stream. */
export interface SseEvent {
  /** The `event` field; `message` without one. */
  readonly type: string;
  /** The `data` lines, joined by line feeds. */
  readonly data: string;
  /** The last `id` seen so far, on this event or an earlier one: what a client resumes with. */
  readonly lastEventId: string;
  /** The `id` field of this very event, if it had one. */
  readonly id?: string;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Reads an event stream as bytes arrive, cut anywhere, by the WHATWG HTML standard, section 9.2.6 ("Interpreting
 * an event stream"): lines end in CR, LF or CRLF, a byte order mark at the very start is dropped, bytes that are
 * not UTF-8 become U+FFFD, an `id` with a NUL is ignored, an event without data is not dispatched, and what the
 * stream ends in the middle of is dropped.
 */
export class SseParser {
  /** The last event id, also when its event had no data. */
  lastEventId = '';
  /** What the server asked to wait before a reconnection, if it did. */
  retryMs: number | undefined;
  /** Comment lines so far. */
  comments = 0;

  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private carried: Uint8Array[] = [];
  private afterReturn = false;
  private firstLine = true;
  private data: string[] = [];
  private eventType = '';
  private idBuffer = '';
  private ownId: string | undefined;

  /** The events that are whole with these bytes. */
  push(bytes: Uint8Array): SseEvent[] {
    const events: SseEvent[] = [];
    let start = 0;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      const secondOfPair = this.afterReturn && byte === LINE_FEED;
      this.afterReturn = byte === CARRIAGE_RETURN;
      if (secondOfPair) {
        start = index + 1;
      } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        this.line(this.decode(bytes.subarray(start, index)), events);
        start = index + 1;
      }
    }
    if (start < bytes.length) this.carried.push(bytes.slice(start));
    return events;
  }

  private decode(rest: Uint8Array): string {
    let line = '';
    for (const piece of this.carried) line += this.decoder.decode(piece, { stream: true });
    this.carried = [];
    line += this.decoder.decode(rest);
    if (this.firstLine && line.startsWith(BYTE_ORDER_MARK)) line = line.slice(1);
    this.firstLine = false;
    return line;
  }

  private line(line: string, events: SseEvent[]): void {
    if (line === '') {
      this.dispatch(events);
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.comments++;
    } else if (colon < 0) {
      this.field(line, '');
    } else {
      const value = line.slice(colon + 1);
      this.field(line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value);
    }
  }

  private field(name: string, value: string): void {
    if (name === 'data') {
      this.data.push(value);
    } else if (name === 'event') {
      this.eventType = value;
    } else if (name === 'id') {
      if (!value.includes('\0')) this.idBuffer = this.ownId = value;
    } else if (name === 'retry' && /^[0-9]+$/.test(value)) {
      this.retryMs = Number(value);
    }
  }

  private dispatch(events: SseEvent[]): void {
    this.lastEventId = this.idBuffer;
    if (this.data.length > 0) {
      const type = this.eventType === '' ? 'message' : this.eventType;
      const event = { type, data: this.data.join('\n'), lastEventId: this.lastEventId };
      events.push(this.ownId === undefined ? event : { ...event, id: this.ownId });
    }
    this.data = [];
    this.eventType = '';
    this.ownId = undefined;
  }
}
