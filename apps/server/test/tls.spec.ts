import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import * as tls from 'node:tls';
import { type IssuedCertificate, TestAuthority, hasOpenssl } from '#testkit';
import { serve, type RunningServer } from '../src/bootstrap';
import { SERVER_LIMITS } from '../src/http/server-limits';
import { MemoryEngine } from './memory-engine';

// Goal: HTTPS with files that fit, a clear line for files that do not, client certificates where they are asked for,
// and new files taken into use under connections that live on.
// Method: a real server, certificates made with openssl for this run.

const describeTls = hasOpenssl() ? describe : describe.skip;

interface Reply {
  readonly status: number;
  readonly text: string;
}

describeTls('TLS for clients', () => {
  let ours: TestAuthority;
  let theirs: TestAuthority;
  let good: IssuedCertificate;
  let folder: string;
  let servers: RunningServer[] = [];

  beforeAll(() => {
    ours = new TestAuthority('ours');
    theirs = new TestAuthority('theirs');
    good = ours.issue('IP:127.0.0.1,DNS:localhost');
  });
  afterAll(() => {
    ours.remove();
    theirs.remove();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentstate-tls-'));
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    servers = [];
    rmSync(folder, { recursive: true });
  });

  const file = (name: string): string => join(folder, name);

  function place(certificate: IssuedCertificate): void {
    copyFileSync(certificate.certPath, file('cert.pem'));
    copyFileSync(certificate.keyPath, file('key.pem'));
    copyFileSync(certificate.caPath, file('ca.pem'));
  }

  async function start(environment: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
    const server = await serve(
      {
        ...{ DEV_MODE: 'true', HTTP_PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'silent' },
        ...{ TLS_CERT_PATH: file('cert.pem'), TLS_KEY_PATH: file('key.pem') },
        ...environment,
      },
      () => Promise.resolve(new MemoryEngine()),
    );
    servers.push(server);
    return server;
  }

  function get(port: number, path: string, options: tls.ConnectionOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port, path, ca: good.ca, agent: false, ...options },
        (reply) => {
          let text = '';
          reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
          reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text }));
        },
      );
      sent.on('error', reject);
      sent.end();
    });
  }

  const asClient = ({ cert, key }: IssuedCertificate): tls.ConnectionOptions => ({ cert, key });

  it('answers on both ports, and not to whoever trusts another authority', async () => {
    place(good);
    const server = await start();
    for (const port of [server.httpPort, server.adminPort]) {
      expect(await get(port, '/health')).toEqual({ status: 200, text: 'ok' });
      await expect(get(port, '/health', { ca: theirs.issue('IP:127.0.0.1').ca })).rejects.toThrow(
        /signature|unable to/,
      );
    }
    const metrics = await get(server.adminPort, '/metrics');
    expect(metrics.text).toMatch(/^tls_certificate_not_after_seconds\{use="clients"\} 1\d{9}$/m);
  });

  it('speaks TLS 1.2 and newer, and no older', async () => {
    place(good);
    const { httpPort } = await start();
    const spoken = (version: tls.SecureVersion): Promise<Reply> =>
      get(httpPort, '/health', { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
    expect((await spoken('TLSv1.2')).status).toBe(200);
    expect((await spoken('TLSv1.3')).status).toBe(200);
    await expect(spoken('TLSv1.1')).rejects.toThrow(/version|protocol/i);
  });

  it('asks for a client certificate, but not of probes on the admin port', async () => {
    place(good);
    const { httpPort, adminPort } = await start({ TLS_CLIENT_CA_PATH: file('ca.pem') });
    const client = ours.issue('DNS:client');
    const stranger = theirs.issue('DNS:client');
    expect((await get(httpPort, '/health', asClient(client))).status).toBe(200);
    await expect(get(httpPort, '/health')).rejects.toThrow(/certificate required|hang up|ECONNRESET/);
    await expect(get(httpPort, '/health', asClient(stranger))).rejects.toThrow(
      /unknown ca|hang up|ECONNRESET/,
    );
    expect((await get(adminPort, '/health')).status).toBe(200);
    expect((await get(adminPort, '/ready')).status).toBe(200);
    for (const path of ['/metrics', '/admin/cluster']) {
      expect(await get(adminPort, path)).toMatchObject({
        status: 403,
        text: expect.stringContaining('certificate') as string,
      });
      expect((await get(adminPort, path, asClient(stranger))).status).toBe(403);
    }
    expect((await get(adminPort, '/metrics', asClient(client))).status).toBe(200);
  });

  it('ends a connection whose handshake does not come to its end', async () => {
    jest.replaceProperty(SERVER_LIMITS, 'handshakeTimeoutMs', 300 as never);
    try {
      place(good);
      const server = await start();
      const silent = connect(server.httpPort, '127.0.0.1');
      silent.on('error', () => undefined);
      // The head of a record that never comes.
      silent.write(Buffer.from([0x16, 3, 1]));
      await new Promise((resolve) => silent.resume().once('close', resolve));
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('answers nothing to what is not TLS, counts it, and stops in the middle of a handshake', async () => {
    place(good);
    const server = await start();
    const socket = connect(server.httpPort, '127.0.0.1');
    const closed = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.on('close', () => resolve(text));
    });
    socket.on('error', () => undefined);
    socket.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await closed).not.toContain('HTTP/1.1');
    const metrics = await get(server.adminPort, '/metrics');
    expect(metrics.text).toMatch(/^http_connections_refused_total\{reason="tls"\} 1$/m);
    const silent = connect(server.httpPort, '127.0.0.1');
    silent.on('error', () => undefined);
    await new Promise((resolve) => silent.once('connect', resolve));
    const ended = new Promise((resolve) => silent.once('close', resolve));
    await server.stop();
    await ended;
  });

  it.each([
    [
      'a certificate that is not there',
      (): void => rmSync(file('cert.pem')),
      /^TLS_CERT_PATH=\S+cert\.pem cannot be read \(ENOENT\)\.$/,
    ],
    [
      'a key that is not there',
      (): void => rmSync(file('key.pem')),
      /^TLS_KEY_PATH=\S+key\.pem cannot be read \(ENOENT\)\.$/,
    ],
    [
      'a certificate that is none',
      (): void => writeFileSync(file('cert.pem'), 'x'),
      /^TLS_CERT_PATH=\S+cert\.pem holds no certificate in PEM form\.$/,
    ],
    [
      'a certificate cut short',
      (): void =>
        writeFileSync(file('cert.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'),
      /^TLS_CERT_PATH=\S+cert\.pem holds a certificate that cannot be read \(.+\)\.$/,
    ],
    [
      'a key that is none',
      (): void => writeFileSync(file('key.pem'), 'x'),
      /^TLS_KEY_PATH=\S+key\.pem holds no private key .+\.$/,
    ],
    [
      'the key of another certificate',
      (): void => copyFileSync(ours.issue('IP:127.0.0.1').keyPath, file('key.pem')),
      /^TLS_KEY_PATH=\S+key\.pem does not belong to the certificate of TLS_CERT_PATH=\S+cert\.pem\.$/,
    ],
    [
      'an authority that is none',
      (): void => writeFileSync(file('ca.pem'), ''),
      /^TLS_CLIENT_CA_PATH=\S+ca\.pem holds no certificate/,
    ],
  ])('does not start with %s', async (_, spoil, line) => {
    place(good);
    spoil();
    await expect(start({ TLS_CLIENT_CA_PATH: file('ca.pem') })).rejects.toThrow(line);
  });

  it('takes changed files into use and keeps the connections that there are', async () => {
    place(good);
    const { httpPort } = await start();
    const old = tls.connect({ host: '127.0.0.1', port: httpPort, ca: good.ca });
    await new Promise<void>((resolve) => old.once('secureConnect', resolve));
    const serial = async (): Promise<string> => {
      const socket = tls.connect({ host: '127.0.0.1', port: httpPort, rejectUnauthorized: false });
      await new Promise<void>((resolve, reject) =>
        socket.once('secureConnect', resolve).once('error', reject),
      );
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serial();
    expect(before).toBe(old.getPeerCertificate().serialNumber);
    place(ours.issue('IP:127.0.0.1'));
    while ((await serial()) === before) await new Promise((resolve) => setTimeout(resolve, 50));
    const answered = new Promise<string>((resolve) =>
      old.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    old.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    old.destroy();
  }, 30_000);
});
