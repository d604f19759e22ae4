export { TestAuthority, hasOpenssl, type IssuedCertificate } from './test-authority';
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
export { LogModel, logStateText, randomLogCall, seededRandom, type LogCall } from './log-model';
export * from './linearizability';
export { STATE_IDS, STATE_NAMESPACES, STATE_TYPES, stateHistory, type TimedCommand } from './state-commands';
export { type ModelCommit, type ModelEvent, type ModelObject, StateModel } from './state-model';
export { encodeLog, replay, sha256, type StateLog } from './state-replay';
export { compareApplied, compareState } from './state-checks';
export { describeStateMachine, type StateMachineHost } from './state-machine-rules';
export { describeStateStore, type StateStoreHost } from './state-store-rules';
export {
  type DataDrivenArgument,
  type DataDrivenCase,
  dataDrivenFiles,
  parseDataDriven,
  runDataDriven,
  runDataDrivenFile,
  sharedFolder,
} from './datadriven';
export { fuzz, fuzzDeadlineMs, type FuzzReport, type FuzzTarget } from './fuzz/fuzz';
export { DecidedHistory } from './simulator/decided-history';
export { type AskedWrite, faultOfDone, faultOfRefusal, objectInput } from './simulator/decided-writes';
export { FirstAnswer } from './simulator/first-answer';
export { leaseInput, leaseOutput, leaseReadOutput, passedOutput } from './simulator/lease-outputs';
