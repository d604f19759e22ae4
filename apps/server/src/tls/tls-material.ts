import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { StartError, type TlsFiles } from '../config';

/** Certificates of whom: the variables of each begin with their own prefix. */
export type TlsUse = 'clients' | 'peers';

const PREFIXES: Readonly<Record<TlsUse, string>> = { clients: '', peers: 'PEER_' };

/** What a TLS context is made of, known to fit together. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  /** When the certificate ends, in milliseconds since 1970. */
  readonly notAfterMs: number;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * Reads the files and checks them against each other. Throws a {@link StartError} whose line names the variable, the
 * file and what is wrong with it. A certificate that has ended is let through: a node that holds data must come back
 * even then, and clients say more clearly what they do not trust.
 */
export function loadTlsMaterial(files: TlsFiles, use: TlsUse): TlsMaterial {
  const prefix = PREFIXES[use];
  const certificate = new NamedFile(`${prefix}TLS_CERT_PATH`, files.certPath);
  const privateKey = new NamedFile(`${prefix}TLS_KEY_PATH`, files.keyPath);
  const authority =
    files.clientCaPath === undefined
      ? undefined
      : new NamedFile(`${prefix}TLS_CLIENT_CA_PATH`, files.clientCaPath);
  const [leaf] = certificate.certificates();
  const key = privateKey.check('holds no private key in PEM form without a passphrase', (bytes) =>
    createPrivateKey(bytes),
  );
  if (!leaf.checkPrivateKey(key)) {
    throw privateKey.refusal(`does not belong to the certificate of ${certificate.name}=${certificate.path}`);
  }
  authority?.certificates();
  const material = { cert: certificate.bytes, key: privateKey.bytes, ca: authority?.bytes };
  certificate.check('cannot be used by TLS', () => createSecureContext(material));
  return { ...material, notAfterMs: Date.parse(leaf.validTo) };
}

class NamedFile {
  readonly bytes: Buffer;

  constructor(
    readonly name: string,
    readonly path: string,
  ) {
    try {
      this.bytes = readFileSync(path);
    } catch (error) {
      throw this.refusal(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
    }
  }

  /** All of the file, the first one first. */
  certificates(): readonly [X509Certificate, ...X509Certificate[]] {
    const texts = this.bytes.toString('latin1').match(PEM_CERTIFICATE) ?? [];
    const [first, ...rest] = texts.map((text) =>
      this.check('holds a certificate that cannot be read', () => new X509Certificate(text)),
    );
    if (first === undefined) throw this.refusal('holds no certificate in PEM form');
    return [first, ...rest];
  }

  check<Value>(wrong: string, read: (bytes: Buffer) => Value): Value {
    try {
      return read(this.bytes);
    } catch (error) {
      throw this.refusal(`${wrong} (${reasonOf(error)})`);
    }
  }

  refusal(what: string): StartError {
    return new StartError(`${this.name}=${this.path} ${what}.`);
  }
}

/** OpenSSL's reason without its numbers and source files. */
function reasonOf(error: unknown): string {
  const { reason, code, message } = error as { reason?: string; code?: string; message?: string };
  return reason ?? code ?? message ?? 'error';
}
