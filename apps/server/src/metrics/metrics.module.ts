import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { MetricsController } from './metrics.controller';
import { ServerMetrics } from './server-metrics';

@Global()
@Module({ controllers: [MetricsController], providers: [ServerMetrics], exports: [ServerMetrics] })
export class MetricsModule implements OnApplicationShutdown {
  constructor(private readonly metrics: ServerMetrics) {}

  onApplicationShutdown(): void {
    this.metrics.stop();
  }
}
