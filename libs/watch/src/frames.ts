import type { ChangeBatch, CommitSeq, ScannedObject } from '#contracts';
import type { WatchEndReason } from './types';

/**
 * The bytes of a watch, as README.md ("Frames") fixes them: frames of the WHATWG event-stream format, one `data`
 * line each, so that nothing in a frame but its end may be a line feed. Objects come as compact JSON and are
 * copied in as they are.
 */
const encoder = new TextEncoder();
const scratch = new Uint8Array(16_384);
const OBJECT_TAIL = encoder.encode('}\n\n');

export const KEEP_ALIVE_FRAME = encoder.encode(': keep-alive\n\n');

export function bookmarkFrame(ns: string, position: CommitSeq): Uint8Array {
  return encoder.encode(
    `id: ${position}\ndata: {"type":"BOOKMARK","ns":${JSON.stringify(ns)},"commit_seq":${position}}\n\n`,
  );
}

export function overflowFrame(position: CommitSeq, retryAfterMs: number): Uint8Array {
  return encoder.encode(
    `id: ${position}\ndata: {"type":"OVERFLOW","error":"overflow","last_commit":${position},"retry_after_ms":${retryAfterMs}}\n\n`,
  );
}

/** Without an `id:` line: it says nothing about how far the stream has come. */
export function endFrame(reason: WatchEndReason): Uint8Array {
  return encoder.encode(`data: {"type":"END","reason":"${reason}"}\n\n`);
}

/** An object of the initial state: never with an `id:` line, so that a cut connection starts over. */
export function initialFrame(ns: string, row: ScannedObject): Uint8Array {
  return spliceObject(
    `data: {"type":"PUT","ns":${JSON.stringify(ns)},"id":${JSON.stringify(row.id)},"commit_seq":${row.commitSeq},"ts":"${timestamp(row.tsMs)}","object":`,
    row.json,
  );
}

/** The frames of one batch, each encoded when it is first wanted and then shared by all who want the same. */
export class BatchFrames {
  private readonly plain: (Uint8Array | undefined)[] = [];
  private readonly withId: (Uint8Array | undefined)[] = [];

  constructor(
    readonly batch: ChangeBatch,
    /** When the hub got the batch, monotonic; negative when it was read back from history. */
    readonly receivedMs: number,
  ) {}

  /** The frame of one event; with the `id:` line on the last event of the batch that a watcher gets. */
  frame(index: number, withId: boolean): Uint8Array {
    const cache = withId ? this.withId : this.plain;
    return (cache[index] ??= this.encode(index, withId));
  }

  private encode(index: number, withId: boolean): Uint8Array {
    const { ns, commitSeq, tsMs, events } = this.batch;
    const event = events[index];
    if (event === undefined) throw new Error(`no event ${index} in the batch at ${commitSeq}`);
    const idLine = withId ? `id: ${commitSeq}\n` : '';
    const type = event.kind === 'put' ? 'PUT' : 'DELETE';
    const head = `${idLine}data: {"type":"${type}","ns":${JSON.stringify(ns)},"id":${JSON.stringify(event.id)},"commit_seq":${commitSeq},"ts":"${timestamp(tsMs)}",`;
    if (event.kind === 'delete') return encoder.encode(`${head}"reason":"${event.reason ?? 'delete'}"}\n\n`);
    if (event.object === undefined) throw new Error(`a put without its object at ${commitSeq}`);
    return spliceObject(`${head}"object":`, event.object);
  }
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

function spliceObject(head: string, object: Uint8Array): Uint8Array {
  // UTF-8 takes at most three bytes for a UTF-16 unit, so the scratch space holds every head within the limits.
  let bytes: Uint8Array;
  if (head.length * 3 <= scratch.length) {
    bytes = scratch.subarray(0, encoder.encodeInto(head, scratch).written);
  } else {
    bytes = encoder.encode(head);
  }
  const frame = new Uint8Array(bytes.length + object.length + OBJECT_TAIL.length);
  frame.set(bytes);
  frame.set(object, bytes.length);
  frame.set(OBJECT_TAIL, bytes.length + object.length);
  return frame;
}
