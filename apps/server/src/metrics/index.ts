export { EngineMetrics } from './engine-metrics';
export type { EngineGauges, EngineObserver } from './engine-metrics';
export { MetricsModule } from './metrics.module';
export { type ApiOperation } from './op-metrics';
export { ServerMetrics } from './server-metrics';
