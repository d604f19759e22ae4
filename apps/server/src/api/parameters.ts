import type { ErrorCode } from '#contracts';
import type { Parameter } from '../openapi';

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

export const PRECONDITION_HEADERS: readonly Parameter[] = [
  { name: 'If-Match', description: 'The commit_seq, in quotes, that the object must have' },
  { name: 'If-None-Match', description: '*: the object must not exist' },
];

export const WATCH_QUERY: readonly Parameter[] = [
  { name: 'from_commit', description: 'First position wanted, inclusive', type: 'integer', example: 1 },
  { name: 'prefix', description: 'Beginning of the ids', example: 'task-' },
  { name: 'type', description: 'Type of the objects', example: 'task' },
  { name: 'initial', description: 'Send the current state first; excludes from_commit', type: 'boolean' },
];

export const WRITE_ERRORS: readonly ErrorCode[] = ['precondition_failed', 'overloaded', 'storage_full'];
export const BODY_ERRORS: readonly ErrorCode[] = [
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
];
