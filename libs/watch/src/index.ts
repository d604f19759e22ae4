export * from './types';
export type { Clock } from './clock';
export { WATCH_EVENT_SOURCES } from './options';
export type {
  WatchEventSource,
  WatchEventType,
  WatchHubOptions,
  WatchLimits,
  WatchObserver,
} from './options';
export { CompiledFilter } from './filter';
export { WatchHub, type WatchStats } from './hub';
