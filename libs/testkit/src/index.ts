export { MemoryStateStore, MemoryStateStores } from './memory-state-store';
export { STATE_IDS, STATE_NAMESPACES, STATE_TYPES, stateHistory, type TimedCommand } from './state-commands';
export { type ModelCommit, type ModelEvent, type ModelObject, StateModel } from './state-model';
export { encodeLog, replay, sha256, type StateLog } from './state-replay';
export { compareApplied, compareState } from './state-checks';
export { describeStateStore, type StateStoreHost } from './state-store-rules';
