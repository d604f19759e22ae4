import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Engine } from '#replication';
import { AppModule } from './app.module';
import { auditLog } from './admin/audit';
import { Authorizer } from './auth';
import type { ServerConfig } from './config';
import { ProblemFilter } from './errors';
import { type HttpFace, createHttpFace } from './http/http-face';
import { Lifecycle } from './lifecycle';
import { type Logger, NestLogger } from './logging';
import { ENGINE, type EngineFactory } from './replication';
import { registerOpenApi } from './openapi';
import { ServerMetrics } from './metrics';
import { ReloadingTls } from './tls';

/** The server without its listening sockets: what tests inject requests into. */
export interface Application {
  readonly nest: NestFastifyApplication;
  readonly face: HttpFace;
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly authorizer: Authorizer;
  /** The certificates that clients see; followed once the server listens. */
  readonly tls: ReloadingTls | undefined;
}

export async function createApplication(
  config: ServerConfig,
  logger: Logger,
  createEngine: EngineFactory,
): Promise<Application> {
  const made: { authorizer?: Authorizer; lifecycle?: Lifecycle; metrics?: ServerMetrics } = {};
  const tls = config.tls && new ReloadingTls(config.tls, 'clients');
  const face = createHttpFace(config, {
    tls: tls?.material,
    audit: auditLog(logger),
    onConnectionRefused: (reason) => made.metrics?.connectionRefused(reason),
    authorizer: () => {
      if (!made.authorizer) throw new Error('a request came before the modules were made');
      return made.authorizer;
    },
    isDraining: () => made.lifecycle?.isDraining ?? false,
  });
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(config, logger, createEngine),
    face.adapter,
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  const authorizer = nest.get(Authorizer);
  made.authorizer = authorizer;
  const lifecycle = nest.get(Lifecycle);
  made.lifecycle = lifecycle;
  const metrics = nest.get(ServerMetrics);
  made.metrics = metrics;
  nest.useGlobalFilters(new ProblemFilter(logger));
  registerOpenApi(nest);
  await nest.init();
  await face.fastify.ready();
  tls?.follow(
    { logger, certificateLoaded: (use, seconds) => metrics.engine.certificateLoaded(use, seconds) },
    () => face.useTls(tls.material),
  );
  return { nest, face, engine: nest.get<Engine>(ENGINE), lifecycle, authorizer, tls };
}
