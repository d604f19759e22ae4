import { StateError } from '#contracts';
import type { Capability, NamespacePattern } from './capability';

/** Seconds by which clocks of the minter and of the server may differ. */
export const CLOCK_SKEW_SECONDS = 60;

/**
 * Turns the claims of a token whose signature was verified into a capability. A claim of another type than the
 * contract's is never guessed at: the token is `token_malformed`. `fallbackOwner` names tokens without a `jti`.
 */
export function capabilityOf(claims: unknown, keyId: string, fallbackOwner: string): Capability {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw malformed('its payload is not an object');
  }
  const own = (name: string): unknown =>
    Object.hasOwn(claims, name) ? (claims as Record<string, unknown>)[name] : undefined;
  const issuedAt = optionalNumber('iat', own('iat')) ?? 0;
  const notBefore = optionalNumber('nbf', own('nbf')) ?? 0;
  const expiresAtSeconds = optionalNumber('exp', own('exp'));
  if (expiresAtSeconds === undefined) throw malformed('it has no exp');
  const jti = own('jti');
  if (jti !== undefined && typeof jti !== 'string') throw malformed('jti must be a string');
  const regions = own('regions');
  return {
    keyId,
    namespaces: namespacePatterns(own('ns')),
    operations: new Set(strings('ops', own('ops'))),
    expiresAtSeconds,
    notBeforeSeconds: Math.max(issuedAt, notBefore),
    regions: regions === undefined ? undefined : strings('regions', regions),
    maxBodyBytes: optionalNumber('max_bytes', own('max_bytes')),
    maxQps: optionalNumber('max_qps', own('max_qps')),
    owner: jti ?? fallbackOwner,
  };
}

export function malformed(why: string): StateError {
  return new StateError('token_malformed', `The token is refused: ${why}.`);
}

function namespacePatterns(claim: unknown): NamespacePattern[] {
  const texts = typeof claim === 'string' ? [claim] : strings('ns', claim);
  return texts.map((text) =>
    text.endsWith('*') ? { text: text.slice(0, -1), isPrefix: true } : { text, isPrefix: false },
  );
}

function strings(name: string, claim: unknown): string[] {
  if (Array.isArray(claim) && claim.every((item) => typeof item === 'string')) return claim;
  throw malformed(claim === undefined ? `it has no ${name}` : `${name} must be a list of strings`);
}

function optionalNumber(name: string, claim: unknown): number | undefined {
  if (claim === undefined) return undefined;
  if (typeof claim === 'number' && Number.isFinite(claim) && claim >= 0) return claim;
  throw malformed(`${name} must be a number of zero or more`);
}
