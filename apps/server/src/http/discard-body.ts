import type { IncomingMessage } from 'node:http';

/** Bytes of a refused body that are read and thrown away before the connection is cut. */
const DISCARD_BYTES = 16 * 1_048_576;

/**
 * Takes what is left of a request's body after the answer was decided, and drops it. Closing with unread bytes
 * would reset the connection, and the client might never see the answer (RFC 9112, section 9.6); reading for
 * ever would let a refused client spend our bandwidth.
 */
export function discardRestOfBody(message: IncomingMessage): void {
  if (message.complete || message.destroyed) return;
  let leftBytes = DISCARD_BYTES;
  message.on('error', () => undefined);
  message.on('data', (chunk: Buffer) => {
    leftBytes -= chunk.length;
    if (leftBytes < 0) message.destroy();
  });
  message.resume();
}
