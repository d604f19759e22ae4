import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Engine } from '#replication';
import { AppModule } from './app.module';
import { Authorizer } from './auth';
import type { ServerConfig } from './config';
import { ProblemFilter } from './errors';
import { type HttpFace, createHttpFace } from './http/http-face';
import { Lifecycle } from './lifecycle';
import { type Logger, NestLogger } from './logging';
import { ENGINE, type EngineFactory } from './replication';
import { registerOpenApi } from './openapi';

/** The server without its listening sockets: what tests inject requests into. */
export interface Application {
  readonly nest: NestFastifyApplication;
  readonly face: HttpFace;
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
}

export async function createApplication(
  config: ServerConfig,
  logger: Logger,
  createEngine: EngineFactory,
): Promise<Application> {
  const made: { authorizer?: Authorizer; lifecycle?: Lifecycle } = {};
  const face = createHttpFace(config, {
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
  made.authorizer = nest.get(Authorizer);
  const lifecycle = nest.get(Lifecycle);
  made.lifecycle = lifecycle;
  nest.useGlobalFilters(new ProblemFilter(logger));
  registerOpenApi(nest);
  await nest.init();
  await face.fastify.ready();
  return { nest, face, engine: nest.get<Engine>(ENGINE), lifecycle };
}
