export { SimClock } from './sim-clock';
export { SseParser, type SseEvent } from './sse';
export { checkWatchStream, stateAt, type WatchStream } from './watch-rules';
export { MemoryChangeSource } from './memory-change-source';
export { RecordingSink } from './recording-sink';
export { MemoryStateStore, MemoryStateStores } from './memory-state-store';
export {
  diskError,
  SimDisk,
  type SimDiskOptions,
  type SimOperation,
  type SimOperationKind,
  type SimRandom,
} from './sim-disk';
export * from './linearizability';
