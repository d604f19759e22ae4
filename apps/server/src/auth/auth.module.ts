import { Global, Module } from '@nestjs/common';
import type { Engine } from '#replication';
import { SERVER_CONFIG, type ServerConfig } from '../config';
import { ServerMetrics } from '../metrics';
import { ENGINE } from '../replication';
import { Authorizer } from './authorizer';

@Global()
@Module({
  providers: [
    {
      provide: Authorizer,
      inject: [SERVER_CONFIG, ServerMetrics, ENGINE],
      useFactory: (config: ServerConfig, metrics: ServerMetrics, engine: Engine) =>
        new Authorizer(config, metrics, (ns) => engine.namespaces.settings(ns)),
    },
  ],
  exports: [Authorizer],
})
export class AuthModule {}
