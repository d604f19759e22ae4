import { Global, Module } from '@nestjs/common';
import { SERVER_CONFIG, type ServerConfig } from '../config';
import { ServerMetrics } from '../metrics';
import { Authorizer } from './authorizer';

@Global()
@Module({
  providers: [
    {
      provide: Authorizer,
      inject: [SERVER_CONFIG, ServerMetrics],
      useFactory: (config: ServerConfig, metrics: ServerMetrics) => new Authorizer(config, metrics),
    },
  ],
  exports: [Authorizer],
})
export class AuthModule {}
