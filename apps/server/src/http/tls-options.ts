import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { TlsMaterial } from '../tls';
import { SERVER_LIMITS } from './server-limits';

/** RFC 8996 ended what came before. */
const MIN_VERSION = 'TLSv1.2';

export function tlsContext({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return { cert, key, ca, minVersion: MIN_VERSION };
}

/**
 * Certificates are asked of clients when there is an authority to check them by. `rejectUnauthorized`: a connection
 * without a good one ends in the handshake, instead of being told by the gate.
 */
export function tlsOptions(material: TlsMaterial, rejectUnauthorized: boolean): TlsOptions {
  return {
    ...tlsContext(material),
    handshakeTimeout: SERVER_LIMITS.handshakeTimeoutMs,
    requestCert: material.ca !== undefined,
    rejectUnauthorized: material.ca !== undefined && rejectUnauthorized,
  };
}
