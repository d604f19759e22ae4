// The door of the package: the client, its errors, and the types of what goes in and comes out.
export { Client } from './client.js';
export {
  AgentStateError,
  ApiError,
  AuthenticationError,
  CompactedError,
  ConfigurationError,
  ConflictError,
  ConnectionError,
  FenceStaleError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  LeaseHeldError,
  LeaseLostError,
  NotFoundError,
  OutcomeUnknownError,
  PayloadTooLargeError,
  PermissionDeniedError,
  PreconditionFailedError,
  type Problem,
  ProtocolError,
  RateLimitedError,
  RegionNotAllowedError,
  ResyncRequired,
  ServerError,
  StorageFullError,
  TimeoutError,
  UnavailableError,
} from './errors.js';
export type { Fence } from './lease/fence.js';
export { Lease, type LeaseRecord } from './lease/lease.js';
export type { LeaseOptions } from './lease/options.js';
export { Mirror, type MirrorListener, type MirrorOptions } from './mirror.js';
export { Namespace, type Watched } from './namespace.js';
export type {
  BatchCondition,
  BatchOperation,
  BatchResult,
  Condition,
  Deleted,
  DeletedVersion,
  Json,
  JsonPatchStep,
  MergePatch,
  Patch,
  PutObject,
  Query,
  StoredObject,
  Version,
} from './objects.js';
export type { ClientOptions, Endpoint, RetryOptions } from './options.js';
export { type Page, type PageOptions, Pages } from './pages.js';
export type { BatchOptions, CallOptions, GetOptions, ReadOptions, WriteOptions } from './request-options.js';
export type { Answer } from './transport/transport.js';
export type { Checkpoint } from './watch/checkpoint.js';
export type {
  BookmarkEvent,
  ChangeEvent,
  DeleteEvent,
  PutEvent,
  ResyncEvent,
  ResyncReason,
  WatchEvent,
} from './watch/events.js';
export type { WatchOptions } from './watch/options.js';
