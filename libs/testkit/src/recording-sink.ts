import type { WatchDropReason, WatchEndReason, WatchHandle, WatchSink } from '#watch';
import { SseParser, type SseEvent } from './sse';

/** A client's end of a watch that takes a given number of chunks before it asks to wait. */
export class RecordingSink implements WatchSink {
  readonly chunks: Uint8Array[] = [];
  ended = false;
  endCause: WatchEndReason | WatchDropReason | undefined;
  private handle: WatchHandle | undefined;

  constructor(private credit = Infinity) {}

  attach(handle: WatchHandle): void {
    this.handle = handle;
  }

  write(chunk: Uint8Array): boolean {
    if (this.ended) throw new Error('a write after the end');
    this.chunks.push(chunk);
    this.credit--;
    return this.credit > 0;
  }

  end(cause?: WatchEndReason | WatchDropReason): void {
    if (this.ended) throw new Error('a stream ended twice');
    this.ended = true;
    this.endCause = cause;
  }

  /** Takes so many chunks more. */
  drain(credit: number): void {
    const wasBlocked = this.credit <= 0;
    this.credit = Math.max(this.credit, 0) + credit;
    if (wasBlocked) this.handle?.drained();
  }

  close(): void {
    this.handle?.close();
  }

  text(): string {
    const decoder = new TextDecoder();
    return this.chunks.map((chunk) => decoder.decode(chunk)).join('');
  }

  events(): SseEvent[] {
    const parser = new SseParser();
    return this.chunks.flatMap((chunk) => parser.push(chunk));
  }
}
