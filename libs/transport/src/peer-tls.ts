import { isIP, type Socket } from 'node:net';
import * as tls from 'node:tls';

import type { TlsMaterial } from './options';

const MIN_VERSION = 'TLSv1.3';

/** The certificate of this node and the authority it trusts, both ways. Connections that exist keep what they used. */
export class PeerTls {
  readonly server: tls.Server;
  private context: tls.SecureContext;

  /** Throws if the material is not usable. */
  constructor(
    private readonly load: () => TlsMaterial,
    private readonly checkHost: boolean,
  ) {
    const material = load();
    this.context = tls.createSecureContext({ ...material, minVersion: MIN_VERSION });
    // Never listens: the listener counts sockets first and then hands them in.
    this.server = tls.createServer({
      ...material,
      minVersion: MIN_VERSION,
      requestCert: true,
      // Asked for here and checked by the listener, which can then say why it refuses, and count it.
      rejectUnauthorized: false,
    });
  }

  /** Throws, and changes nothing, if the new material is not usable. */
  reload(): void {
    const material = this.load();
    this.context = tls.createSecureContext({ ...material, minVersion: MIN_VERSION });
    this.server.setSecureContext({ ...material, minVersion: MIN_VERSION });
  }

  connect(host: string, port: number): Socket {
    return tls.connect({
      host,
      port,
      secureContext: this.context,
      rejectUnauthorized: true,
      // RFC 6066 section 3: a literal address is no server name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(this.checkHost ? {} : { checkServerIdentity: () => undefined }),
    });
  }
}
