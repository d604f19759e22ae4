import { auditLog } from './admin/audit';
import type { Authorizer } from './auth';
import type { ServerConfig } from './config';
import { type HttpFace, createHttpFace } from './http/http-face';
import { closeServer, listen } from './http/listen';
import { Lifecycle } from './lifecycle';
import type { Logger } from './logging';
import { ServerMetrics } from './metrics';
import { ReloadingTls } from './tls';

/** What listens from the beginning, whatever the start then waits for, and what it needs for that. */
export class Edge {
  readonly lifecycle = new Lifecycle();
  readonly metrics: ServerMetrics;
  readonly face: HttpFace;
  /** There before the node stops starting. */
  authorizer: Authorizer | undefined;
  /** The certificates that clients see. */
  private readonly tls: ReloadingTls | undefined;

  /** Throws a `StartError` when the TLS files cannot be used. */
  constructor(
    readonly config: ServerConfig,
    readonly logger: Logger,
  ) {
    this.tls = config.tls && new ReloadingTls(config.tls, 'clients');
    this.metrics = new ServerMetrics();
    this.face = createHttpFace(config, {
      tls: this.tls?.material,
      audit: auditLog(logger),
      lifecycle: this.lifecycle,
      onConnectionRefused: (reason) => this.metrics.connectionRefused(reason),
      authorizer: () => {
        if (!this.authorizer) throw new Error('a request came before the modules were made');
        return this.authorizer;
      },
    });
  }

  /** Listens on both ports and gives them. */
  async listen(): Promise<{ readonly httpPort: number; readonly adminPort: number }> {
    const { config, face, logger, metrics, tls } = this;
    const host = config.httpHost;
    const httpPort = await listen(face.apiServer, { host, port: config.httpPort, variable: 'HTTP_PORT' });
    const adminPort = await listen(face.adminServer, {
      ...{ host, port: config.adminPort },
      variable: 'ADMIN_PORT',
    });
    tls?.follow(
      {
        logger,
        certificateLoaded: (use, seconds) => metrics.engine.certificateLoaded(use, seconds),
      },
      () => face.useTls(tls.material),
    );
    return { httpPort, adminPort };
  }

  /** Takes no more connections; resolves when those that there are have ended. */
  async close(): Promise<void> {
    this.tls?.close();
    const { apiServer, adminServer } = this.face;
    await Promise.all([apiServer, adminServer].map((server) => closeServer(server)));
  }

  /** Ends at once what {@link listen} began, for a start that failed. */
  async abandon(): Promise<void> {
    const closed = this.close();
    this.face.destroyConnections();
    await closed;
    this.metrics.stop();
  }
}
