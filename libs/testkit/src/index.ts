export { MemoryStateStore, MemoryStateStores } from './memory-state-store';
