import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Engine } from '#replication';
import { AppModule } from './app.module';
import { Authorizer } from './auth';
import type { Edge } from './edge';
import { ProblemFilter } from './errors';
import { NestLogger } from './logging';
import { ENGINE, type EngineFactory } from './replication';
import { registerOpenApi } from './openapi';

/** What serves behind the edge. */
export interface Application {
  readonly nest: NestFastifyApplication;
  readonly engine: Engine;
  readonly authorizer: Authorizer;
}

/** Resolves once there is an engine; from then on the edge may let requests in. */
export async function createApplication(edge: Edge, createEngine: EngineFactory): Promise<Application> {
  const { face, logger } = edge;
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(edge, createEngine),
    face.adapter,
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  const authorizer = nest.get(Authorizer);
  edge.authorizer = authorizer;
  nest.useGlobalFilters(new ProblemFilter(logger));
  registerOpenApi(nest);
  await nest.init();
  await face.fastify.ready();
  return { nest, engine: nest.get<Engine>(ENGINE), authorizer };
}
