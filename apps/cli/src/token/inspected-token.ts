import { createDecoder, createVerifier } from 'fast-jwt';
import { CommandFailure } from '../terminal';
import { CLOCK_SKEW_SECONDS } from './capability';
import { describeSeconds } from './duration';
import type { SigningKey } from './signing-keys';

/** What can be said of a token without asking a server. */
export interface InspectedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** `unchecked`: no key of that name is at hand. */
  readonly signature: 'good' | 'bad' | 'unchecked';
  /** Why a server would refuse it; empty when nothing is known to be wrong. */
  readonly problems: readonly string[];
}

/** Takes a token apart (JWS compact serialization, RFC 7515 section 7.1) and checks it as a server would. */
export function readToken(text: string, keys: readonly SigningKey[], nowMs: number): InspectedToken {
  const { header, claims } = decode(text);
  const key = keys.find(({ kid }) => kid === header['kid']);
  const signature = key === undefined ? 'unchecked' : isSignedWith(text, key) ? 'good' : 'bad';
  const problems = [
    ...(header['alg'] === 'HS256' ? [] : [`its algorithm is ${shown(header['alg'])}, not HS256`]),
    ...(typeof header['kid'] === 'string' ? [] : ['its header names no key (kid)']),
    ...(signature === 'bad' ? ['its signature is not of that key'] : []),
    ...claimProblems(claims, nowMs),
  ];
  return { header, claims, signature, problems };
}

function decode(text: string): Pick<InspectedToken, 'header' | 'claims'> {
  try {
    const decoded = createDecoder({ complete: true })(text) as {
      header: Record<string, unknown>;
      payload: Record<string, unknown>;
    };
    return { header: decoded.header, claims: decoded.payload };
  } catch {
    throw new CommandFailure(
      'this is no token: it should be three parts of base64url with dots between them',
    );
  }
}

/** Times are judged apart, so that an expired token can still be told from a forged one. */
function isSignedWith(text: string, key: SigningKey): boolean {
  try {
    createVerifier({
      key: key.secret,
      algorithms: ['HS256'],
      ignoreExpiration: true,
      ignoreNotBefore: true,
    })(text);
    return true;
  } catch {
    return false;
  }
}

function claimProblems(claims: InspectedToken['claims'], nowMs: number): string[] {
  const problems: string[] = [];
  if (!isText(claims['ns']) && !isTextList(claims['ns'])) problems.push('it names no namespace (ns)');
  if (!isTextList(claims['ops'])) problems.push('it grants no operation (ops)');
  const expires = claims['exp'];
  if (typeof expires !== 'number') problems.push('it never expires (exp)');
  else if (expires + CLOCK_SKEW_SECONDS <= nowMs / 1000) problems.push('it has expired');
  return problems;
}

/** The token in words, a line for each thing it says. */
export function explainToken(token: InspectedToken, nowMs: number): string {
  const { header, claims } = token;
  const signature = {
    good: 'good: signed with this key',
    bad: 'BAD: not signed with this key',
    unchecked: 'not checked: no key of this name at hand (see CAP_KEY_ACTIVE and CAP_KEY_ACTIVE_ID)',
  }[token.signature];
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['key', shown(header['kid'])],
    ['signature', signature],
    ['namespaces', shown(claims['ns'])],
    ['operations', shown(claims['ops'])],
    ['regions', claims['regions'] === undefined ? 'any' : shown(claims['regions'])],
    ['issued', shownTime(claims['iat'], nowMs)],
    ['expires', shownTime(claims['exp'], nowMs)],
    ['name', claims['jti'] === undefined ? undefined : shown(claims['jti'])],
    ['limits', limits(claims)],
  ];
  return lines
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(12)}${value}\n`]))
    .join('');
}

function limits(claims: InspectedToken['claims']): string | undefined {
  const parts: string[] = [];
  if (claims['max_qps'] !== undefined) parts.push(`${shown(claims['max_qps'])} requests/s`);
  if (claims['max_bytes'] !== undefined) parts.push(`${shown(claims['max_bytes'])} bytes a request`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

function shownTime(value: unknown, nowMs: number): string {
  // The range of Date, in seconds (ECMA-262, section 21.4.1.1).
  if (typeof value !== 'number' || Math.abs(value) > 8.64e12) return shown(value);
  const distance = value - nowMs / 1000;
  const when = distance > 0 ? `in ${describeSeconds(distance)}` : `${describeSeconds(-distance)} ago`;
  return `${new Date(value * 1000).toISOString()} (${when})`;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every(isText);

/** Claims are a stranger's text: control characters must not reach the terminal. */
function shown(value: unknown): string {
  if (value === undefined) return 'not said';
  const text = isTextList(value) ? value.join(', ') : isText(value) ? value : JSON.stringify(value);
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
