import { type DynamicModule, Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module';
import { ApiModule } from './api/api.module';
import { AuthModule } from './auth';
import { ConfigModule, type ServerConfig } from './config';
import { HealthModule } from './health/health.module';
import { LifecycleModule } from './lifecycle';
import { type Logger, LoggingModule } from './logging';
import { MetricsModule } from './metrics';
import { type EngineFactory, ReplicationModule } from './replication';

/** One module per concern; what they share is made once, here. */
@Module({})
export class AppModule {
  static register(config: ServerConfig, logger: Logger, createEngine: EngineFactory): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(config),
        LoggingModule.register(logger),
        LifecycleModule,
        MetricsModule,
        ReplicationModule.register(createEngine),
        AuthModule,
        ApiModule,
        HealthModule,
        AdminModule,
      ],
    };
  }
}
