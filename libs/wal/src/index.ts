export type { Disk, DiskAccess, DiskDone, DiskFile } from './disk';
export { nodeDisk } from './node-disk';
export { LogCorruption, LogFormatUnsupported } from './errors';
export type { LogObserver } from './group-commit';
export type { Log } from './log';
export { openLogReader, type LogReader } from './log-reader';
export { DEFAULT_SEGMENT_BYTES, openLog, type OpenLogOptions } from './open-log';
export { FORMAT_VERSION } from './record';
export {
  verifyLog,
  type LogDamage,
  type LogReport,
  type VerifiedGroup,
  type VerifiedSegment,
} from './verify-log';
