export * from './types';
export type { Clock } from './clock';
export type { WatchEventType, WatchHubOptions, WatchLimits, WatchObserver } from './options';
export { CompiledFilter } from './filter';
export { WatchHub, type WatchStats } from './hub';
