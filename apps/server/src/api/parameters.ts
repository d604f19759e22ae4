import type { ErrorCode } from '#contracts';
import { NAMESPACE, type Parameter } from '../openapi';

/** The parameters that several requests share, for the documentation. */
export const CONSISTENCY_QUERY: readonly Parameter[] = [
  { name: 'consistency', description: 'linearizable (default) or stale', example: 'stale' },
  {
    name: 'min_seq',
    description: 'With stale: wait until this position is applied',
    type: 'integer',
    example: 1,
  },
];

export const PAGE_QUERY: readonly Parameter[] = [
  { name: 'prefix', description: 'Beginning of the ids', example: 'task-' },
  { name: 'limit', description: '1 to 1000', type: 'integer', example: 100 },
  { name: 'cursor', description: 'X-Next-Cursor of the page before' },
];

/** A read of the past. Without examples: no position is there everywhere. */
export const AT_QUERY: readonly Parameter[] = [
  { name: 'at_seq', description: 'The object as it was at this position', type: 'integer' },
  { name: 'at', description: 'The object as it was at this time (RFC 3339); excludes at_seq' },
];

export const PRECONDITION_HEADERS: readonly Parameter[] = [
  { name: 'If-Match', description: 'The commit_seq, in quotes, that the object must have', example: '"12"' },
  { name: 'If-None-Match', description: '*: the object must not exist', example: '*' },
];

/** A write that happens only under a lease. */
export const FENCE_HEADERS: readonly Parameter[] = [
  { name: 'If-Resource', description: 'Key of a lease that must be held; with If-Fence', example: 'task-1' },
  { name: 'If-Fence', description: "The lease's token", type: 'integer', example: 12 },
];

export const IDEMPOTENCY_HEADERS: readonly Parameter[] = [
  {
    name: 'Idempotency-Key',
    description: 'The request happens once for each key; the first answer is kept for 24 hours',
    example: 'report-7',
  },
];

/** What every write of an object takes. */
export const WRITE_HEADERS: readonly Parameter[] = [
  ...PRECONDITION_HEADERS,
  ...FENCE_HEADERS,
  ...IDEMPOTENCY_HEADERS,
];

export const LEASE_PATH: readonly Parameter[] = [
  NAMESPACE,
  { name: 'key', description: 'Key of the lease, percent-encoded', example: 'task-1' },
];

export const WATCH_QUERY: readonly Parameter[] = [
  { name: 'from_commit', description: 'First position wanted, inclusive', type: 'integer', example: 1 },
  { name: 'prefix', description: 'Beginning of the ids', example: 'task-' },
  { name: 'type', description: 'Type of the objects', example: 'task' },
  { name: 'initial', description: 'Send the current state first; excludes from_commit', type: 'boolean' },
];

export const WRITE_ERRORS: readonly ErrorCode[] = [
  'precondition_failed',
  'fence_stale',
  'idempotency_key_reused',
  'overloaded',
  'storage_full',
];
export const BODY_ERRORS: readonly ErrorCode[] = [
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
];
