import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TlsMaterial } from '../src/options';

/** Whether this machine can make certificates. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
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

  /** @param subjectAltName as OpenSSL writes it, for instance `IP:127.0.0.1`. */
  issue(subjectAltName: string): TlsMaterial {
    const name = `node-${++this.issued}`;
    writeFileSync(join(this.folder, `${name}.ext`), `subjectAltName=${subjectAltName}\n`);
    this.openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    this.openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
    return { cert: this.read(`${name}.crt`), key: this.read(`${name}.key`), ca: this.read('ca.crt') };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
