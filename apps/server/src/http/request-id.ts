import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a client's own id may be, so that it can stand in a header and in the log: visible ASCII. */
const CLIENT_REQUEST_ID = /^[!-~]{1,128}$/;

const processPart = randomBytes(6).toString('base64url');
let counter = 0;

/** The client's `X-Request-Id` if it can be echoed, or one that is unique to this request. */
export function requestIdOf(message: Pick<IncomingMessage, 'headers'>): string {
  const given = message.headers['x-request-id'];
  if (typeof given === 'string' && CLIENT_REQUEST_ID.test(given)) return given;
  counter = (counter + 1) % Number.MAX_SAFE_INTEGER;
  return `${processPart}-${counter.toString(36)}`;
}
