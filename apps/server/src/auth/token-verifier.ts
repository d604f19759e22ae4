import { createHash } from 'node:crypto';
import { TokenError, createDecoder, createVerifier } from 'fast-jwt';
import { StateError } from '#contracts';
import type { CapabilityKey } from '../config';
import { type Capability } from './capability';
import { CLOCK_SKEW_SECONDS, capabilityOf, malformed } from './claims';
import { RecentMap } from './recent-map';

/** Tokens longer than this are not looked at: a header has to fit them anyway. */
const TOKEN_CHARACTERS_MAX = 8_192;
/** Verified tokens that are remembered, so that the hot path computes no HMAC. */
const REMEMBERED_TOKENS = 4_096;

export type TokenResult =
  'ok' | 'malformed' | 'expired' | 'unknown_key' | 'bad_signature' | 'missing' | 'rate_limited';

/** The label for key ids that are not ours: what a client writes into a header never becomes a label. */
export const UNKNOWN_KEY_LABEL = 'unknown';

/** Verifies capabilities (JWS compact, RFC 7515; HS256 alone, RFC 8725 section 3.1) against the known keys. */
export class TokenVerifier {
  private readonly verifiers: ReadonlyMap<string, (token: string) => unknown>;
  private readonly decode = createDecoder({ complete: true });
  private readonly remembered = new RecentMap<string, Capability>(REMEMBERED_TOKENS);

  constructor(
    keys: readonly CapabilityKey[],
    private readonly onResult: (keyId: string, result: TokenResult) => void,
  ) {
    // Times are checked here, on every use of a remembered token, and so not by the library.
    const options = {
      algorithms: ['HS256' as const],
      cache: false,
      ignoreExpiration: true,
      ignoreNotBefore: true,
    };
    this.verifiers = new Map(
      keys.map(({ id, key }) => [id, createVerifier({ ...options, key }) as (token: string) => unknown]),
    );
  }

  /** The capability of a raw token at this moment; throws a `StateError` with one of the `token_…` codes. */
  verify(token: string, nowMs: number): Capability {
    let capability = this.remembered.get(token);
    let keyId = capability?.keyId ?? UNKNOWN_KEY_LABEL;
    try {
      if (!capability) {
        keyId = this.keyIdOf(token);
        capability = this.verifySignature(token, keyId);
        this.remembered.set(token, capability);
      }
      checkTimes(capability, nowMs / 1_000);
    } catch (error) {
      this.onResult(keyId, resultOf(error));
      throw error;
    }
    this.onResult(keyId, 'ok');
    return capability;
  }

  /** Whether its signature was found good before. */
  remembers(token: string): boolean {
    return this.remembered.get(token) !== undefined;
  }

  private keyIdOf(token: string): string {
    if (token.length > TOKEN_CHARACTERS_MAX) throw malformed('it is too long');
    let header: { alg?: unknown; kid?: unknown };
    try {
      header = (this.decode(token) as { header: { alg?: unknown; kid?: unknown } }).header;
    } catch {
      throw malformed('it is not a JWT');
    }
    if (header.alg !== 'HS256') throw malformed('its algorithm must be HS256');
    if (typeof header.kid === 'string' && this.verifiers.has(header.kid)) return header.kid;
    throw new StateError('token_unknown_key', 'The key that the token names (kid) is not known here.');
  }

  private verifySignature(token: string, keyId: string): Capability {
    const verifier = this.verifiers.get(keyId);
    if (!verifier) throw new Error(`no verifier for the key ${keyId}`);
    let claims: unknown;
    try {
      claims = verifier(token);
    } catch (error) {
      const signatureIsWrong =
        error instanceof TokenError &&
        (error.code === TokenError.codes.invalidSignature ||
          error.code === TokenError.codes.missingSignature);
      if (!signatureIsWrong) throw malformed('it is not a capability');
      throw badSignature();
    }
    // The last character carries bits that nobody reads. A token that could be spelled in several ways would be as
    // many owners, each with its own rate and number of watchers.
    if (!isCanonical(token.slice(token.lastIndexOf('.') + 1))) throw badSignature();
    return capabilityOf(claims, keyId, createHash('sha256').update(token).digest('base64url').slice(0, 22));
  }
}

function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url;
}

function badSignature(): StateError {
  return new StateError('token_bad_signature', 'The signature of the token does not match its key.');
}

function checkTimes(capability: Capability, nowSeconds: number): void {
  if (nowSeconds >= capability.expiresAtSeconds + CLOCK_SKEW_SECONDS) {
    throw new StateError('token_expired', 'The token has expired.');
  }
  if (nowSeconds < capability.notBeforeSeconds - CLOCK_SKEW_SECONDS) throw malformed('it is not valid yet');
}

function resultOf(error: unknown): TokenResult {
  if (!(error instanceof StateError)) throw error;
  return error.code.replace('token_', '') as TokenResult;
}
