/** One event of a watch, as CONTRACT section 4 writes it. */
export interface WatchEvent {
  readonly type: 'PUT' | 'DELETE' | 'BOOKMARK' | 'OVERFLOW' | 'END';
  readonly id?: string;
  readonly commit_seq?: number;
  readonly object?: { readonly id: string; readonly body: unknown; readonly commit_seq: number };
  readonly reason?: string;
}

export interface Frame {
  /** What `Last-Event-ID` says from here on; absent inside a batch. */
  readonly lastEventId?: string;
  readonly event: WatchEvent;
}

/** Reads `text/event-stream` (WHATWG HTML, section 9.2.6) until the stream ends or breaks. */
export async function* frames(response: Response): AsyncGenerator<Frame> {
  if (response.body === null) throw new Error('a stream without a body');
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = rest.split('\n\n');
    // A block that is not ended by an empty line is not an event, also when the stream breaks there.
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const frame = frameOf(block);
      if (frame !== undefined) yield frame;
    }
  }
}

function frameOf(block: string): Frame | undefined {
  let data: string | undefined;
  let lastEventId: string | undefined;
  for (const line of block.split('\n')) {
    if (line.startsWith('data:')) data = line.slice(5);
    else if (line.startsWith('id:')) lastEventId = line.slice(3).trim();
  }
  if (data === undefined) return undefined;
  return { event: JSON.parse(data) as WatchEvent, ...(lastEventId !== undefined && { lastEventId }) };
}
