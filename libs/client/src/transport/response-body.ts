import { ProtocolError } from '../errors.js';

/** The whole body as text, of at most so many bytes: whoever answers more is no node. */
export async function bodyText(response: Response, maxBytes: number): Promise<string> {
  const announced = response.headers.get('content-length');
  if (announced !== null && Number(announced) <= maxBytes) return response.text();
  if (response.body === null) return '';
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      void reader.cancel().catch(() => undefined);
      throw new ProtocolError(`the answer is larger than ${maxBytes} bytes`);
    }
    pieces.push(decoder.decode(value, { stream: true }));
  }
  pieces.push(decoder.decode());
  return pieces.join('');
}

/** Gives the connection back; what a body that nobody wants still holds is of no interest. */
export function discard(response: Response): void {
  void response.body?.cancel().catch(() => undefined);
}

/** Seconds of a `Retry-After` header (RFC 9110, section 10.2.3: a number, or a date). */
export function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - Date.now()) / 1_000);
}
