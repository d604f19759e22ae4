import type { IncomingHttpHeaders } from 'node:http';
import { type Preconditions, StateError, commitSeq } from '#contracts';
import { invalidField } from '../errors';

const NO_PRECONDITIONS: Preconditions = {};
const ETAG = /^"(\d{1,16})"$/;

/** What `If-Match` and `If-None-Match` of a write ask for (RFC 9110, section 13.1). */
export function preconditionsOf(headers: IncomingHttpHeaders): Preconditions {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch === undefined && ifNoneMatch === undefined) return NO_PRECONDITIONS;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw new StateError('invalid_request', 'If-Match and If-None-Match exclude each other.');
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return { ifNoneMatch: true };
    throw invalidField('if-none-match', 'must be * on a write');
  }
  const value = Number(ETAG.exec(ifMatch?.trim() ?? '')?.[1] ?? NaN);
  if (Number.isSafeInteger(value)) return { ifMatch: commitSeq(value) };
  throw invalidField('if-match', 'must be one commit_seq in quotes, for example "12"');
}

/** A condition that a request cannot have is refused: ignored, it would let a write through that it should stop. */
export function refuseConditions(
  headers: IncomingHttpHeaders,
  names: readonly ('if-match' | 'if-none-match' | 'if-resource' | 'if-fence')[],
  reason: string,
): void {
  const given = names.find((name) => headers[name] !== undefined);
  if (given !== undefined) throw invalidField(given, reason);
}
