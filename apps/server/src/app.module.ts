import { type DynamicModule, Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module';
import { ApiModule } from './api/api.module';
import { AuthModule } from './auth';
import { ConfigModule, type ServerConfig } from './config';
import { HealthModule } from './health/health.module';
import { type Lifecycle, LifecycleModule } from './lifecycle';
import { type Logger, LoggingModule } from './logging';
import { MetricsModule, type ServerMetrics } from './metrics';
import { type EngineFactory, ReplicationModule } from './replication';

/** What is there before the modules are. */
export interface AppParts {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly metrics: ServerMetrics;
}

/** One module per concern; what they share is made once, here. */
@Module({})
export class AppModule {
  static register(parts: AppParts, createEngine: EngineFactory): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(parts.config),
        LoggingModule.register(parts.logger),
        LifecycleModule.register(parts.lifecycle),
        MetricsModule.register(parts.metrics),
        ReplicationModule.register(createEngine),
        AuthModule,
        ApiModule,
        HealthModule,
        AdminModule,
      ],
    };
  }
}
