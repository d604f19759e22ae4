import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this machine can make certificates. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Certificate, key and authority as PEM text, and where each of them lies. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly certPath: string;
  readonly keyPath: string;
  readonly caPath: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority made for one test run, with Debian's `openssl`. */
export class TestAuthority {
  private readonly folder = mkdtempSync(join(tmpdir(), 'agentstate-tls-'));
  private issued = 0;

  constructor(name: string) {
    this.openssl(
      'req',
      '-x509',
      ...KEY,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
  }

  /**
   * @param subjectAltName as OpenSSL writes it, for instance `IP:127.0.0.1`.
   * @param days until it ends; 0 has ended.
   */
  issue(subjectAltName: string, days = 2): IssuedCertificate {
    const name = `node-${++this.issued}`;
    writeFileSync(join(this.folder, `${name}.ext`), `subjectAltName=${subjectAltName}\n`);
    this.openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    this.openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', `${days}`, '-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
    const [certPath, keyPath, caPath] = [`${name}.crt`, `${name}.key`, 'ca.crt'].map((file) =>
      join(this.folder, file),
    ) as [string, string, string];
    const read = (path: string): string => readFileSync(path, 'utf8');
    return { cert: read(certPath), key: read(keyPath), ca: read(caPath), certPath, keyPath, caPath };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
