export { RocksStateStore } from './rocks-state-store';
export { StateStoreFailure } from './rocks-error';
export { DEFAULT_STATE_MEMORY, type StateMemory } from './rocks-options';
