import { ERROR_CODES, StateError, type ErrorCode, type ErrorExtras } from '#contracts';

const CODES: ReadonlySet<string> = new Set(ERROR_CODES);
const MAX_DETAIL_CHARACTERS = 1_000;

/** The body of an ERROR frame. What is no `StateError` becomes `internal`, and its text stays on its own node. */
export function encodeError(error: unknown): Buffer {
  const known = error instanceof StateError;
  const code: ErrorCode = known ? error.code : 'internal';
  const detail = known ? error.message.slice(0, MAX_DETAIL_CHARACTERS) : 'the peer failed to answer';
  return Buffer.from(JSON.stringify({ code, detail, extras: known ? error.extras : {} }), 'utf8');
}

/** The peer is proven, but may be of another release: a code that this one does not know is `internal`. */
export function decodeError(body: Buffer): StateError {
  try {
    const { code, detail, extras } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    if (typeof code === 'string' && typeof detail === 'string' && isRecord(extras)) {
      return new StateError(CODES.has(code) ? (code as ErrorCode) : 'internal', detail, extras);
    }
  } catch {
    // Falls through to the answer below: text that is no JSON says no more than JSON of another form.
  }
  return new StateError('internal', 'the peer answered with an error that cannot be read');
}

function isRecord(value: unknown): value is ErrorExtras {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
