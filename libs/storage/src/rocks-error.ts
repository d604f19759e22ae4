import { StateCorruption } from '#replication';

/** RocksDB failed to read or write for another reason than damage: the disk is full, a file is locked. */
export class StateStoreFailure extends Error {
  constructor(
    readonly location: string,
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(`state in ${location}: ${detail}`, options);
    this.name = 'StateStoreFailure';
  }
}

/** Tells damage from other failures by the binding's error code. */
export function toStateError(location: string, cause: unknown): Error {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const detail = typeof message === 'string' ? message : String(cause);
  const fileIsMissing = code === 'LEVEL_IO_ERROR' && detail.includes('No such file or directory');
  const databaseIsMissing = detail.includes('does not exist (create_if_missing is false)');
  if (code === 'LEVEL_CORRUPTION' || fileIsMissing || databaseIsMissing)
    return new StateCorruption(location, detail, { cause });
  return new StateStoreFailure(location, detail, { cause });
}
