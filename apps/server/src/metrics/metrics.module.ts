import { type DynamicModule, Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { MetricsController } from './metrics.controller';
import { ServerMetrics } from './server-metrics';

@Global()
@Module({})
export class MetricsModule implements OnApplicationShutdown {
  constructor(private readonly metrics: ServerMetrics) {}

  static register(metrics: ServerMetrics): DynamicModule {
    return {
      module: MetricsModule,
      controllers: [MetricsController],
      providers: [{ provide: ServerMetrics, useValue: metrics }],
      exports: [ServerMetrics],
    };
  }

  onApplicationShutdown(): void {
    this.metrics.stop();
  }
}
