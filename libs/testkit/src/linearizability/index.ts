export {
  checkHistory,
  type CheckOptions,
  type CheckResult,
  type IllegalResult,
  type LinearizableResult,
  type UnknownResult,
} from './check-history';
export { findCommitOrderFaults } from './commit-order';
export { HistoryRecorder, type Completion, type History, type Operation } from './history';
export { hashText, partitionByKey, type Model, type Partition } from './model';
export { keyValueModel, type KeyValueInput, type KeyValueOutput } from './models/key-value-model';
export {
  leaseModel,
  type LeaseHolder,
  type LeaseInput,
  type LeaseOutput,
  type LeaseState,
} from './models/lease-model';
export {
  objectModel,
  type ObjectCondition,
  type ObjectDelete,
  type ObjectGet,
  type ObjectInput,
  type ObjectOutput,
  type ObjectPut,
  type ObjectState,
} from './models/object-model';
export { registerModel, type RegisterInput, type RegisterOutput } from './models/register-model';
export { readObjectHistory } from './readers/object-history';
