import { type DynamicModule, Global, Module } from '@nestjs/common';
import { SERVER_CONFIG, type ServerConfig } from '../config';
import { Lifecycle } from '../lifecycle';
import { LOGGER, type Logger } from '../logging';
import { ServerMetrics } from '../metrics';
import type { EngineFactory } from './create-engine';

/** Injection token of the running `Engine`. */
export const ENGINE = Symbol('Engine');

@Global()
@Module({})
export class ReplicationModule {
  static register(createEngine: EngineFactory): DynamicModule {
    return {
      module: ReplicationModule,
      providers: [
        {
          provide: ENGINE,
          inject: [SERVER_CONFIG, ServerMetrics, LOGGER, Lifecycle],
          useFactory: (config: ServerConfig, metrics: ServerMetrics, logger: Logger, lifecycle: Lifecycle) =>
            createEngine(config, metrics.engine, logger, (what) => {
              lifecycle.startingOn = what;
            }),
        },
      ],
      exports: [ENGINE],
    };
  }
}
