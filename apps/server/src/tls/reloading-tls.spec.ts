import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type IssuedCertificate, TestAuthority, hasOpenssl } from '#testkit';
import { ReloadingTls } from './reloading-tls';

// Goal: new files are used when they fit together; until then what worked stays, and the log says why.
// Method: real files and certificates, looked at every few milliseconds; what the log says is the signal to go on.

const describeTls = hasOpenssl() ? describe : describe.skip;

describeTls('changed TLS files', () => {
  let authority: TestAuthority;
  let folder: string;
  let tls: ReloadingTls | undefined;

  beforeEach(() => {
    authority = new TestAuthority('ours');
    folder = mkdtempSync(join(tmpdir(), 'agentstate-tls-'));
  });
  afterEach(() => {
    tls?.close();
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  const certPath = (): string => join(folder, 'cert.pem');
  const keyPath = (): string => join(folder, 'key.pem');
  function place(certificate: IssuedCertificate): void {
    copyFileSync(certificate.certPath, certPath());
    copyFileSync(certificate.keyPath, keyPath());
  }

  test('are used when they fit, and leave the old ones in use when they do not', async () => {
    const first = authority.issue('DNS:first');
    const second = authority.issue('DNS:second');
    place(first);
    const lines = new LogLines();
    const used: string[] = [];
    const ends: number[] = [];
    const reloading = new ReloadingTls({ certPath: certPath(), keyPath: keyPath() }, 'clients', 5);
    tls = reloading;
    reloading.follow(
      { logger: pino({}, lines), certificateLoaded: (_, notAfterSeconds) => void ends.push(notAfterSeconds) },
      () => void used.push(reloading.material.cert.toString()),
    );
    copyFileSync(second.certPath, certPath());
    expect(await lines.next('cannot be used')).toMatchObject({
      level: 50,
      reason: `TLS_KEY_PATH=${keyPath()} does not belong to the certificate of TLS_CERT_PATH=${certPath()}.`,
    });
    rmSync(keyPath());
    expect(await lines.next('cannot be used')).toMatchObject({
      reason: expect.stringContaining('(ENOENT)') as string,
    });
    expect([reloading.material.cert.toString(), used]).toEqual([first.cert, []]);
    writeFileSync(keyPath(), second.key);
    await lines.next('are in use');
    expect([used, ends.length]).toEqual([[second.cert], 2]);
    place(authority.issue('DNS:ended', 0));
    expect(await lines.next('has ended')).toMatchObject({ level: 40, use: 'clients' });
  });
});

/** A destination of a log that gives its lines back, each once. */
class LogLines {
  private readonly lines: Record<string, unknown>[] = [];
  private wake: () => void = () => undefined;

  write(line: string): void {
    this.lines.push(JSON.parse(line) as Record<string, unknown>);
    this.wake();
  }

  /** The first line with this text, of those that were not given yet; what came before it is dropped. */
  async next(text: string): Promise<Record<string, unknown>> {
    for (;;) {
      const line = this.lines.shift();
      if (line === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else if (String(line['msg']).includes(text)) return line;
    }
  }
}
