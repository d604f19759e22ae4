/**
 * Bytes that had been made durable are not what was written. The log must not be used under its old identity:
 * a member that forgot what it promised could elect a second leader.
 */
export class LogCorruption extends Error {
  constructor(
    /** File name of the segment, without the folder. */
    readonly segment: string,
    /** Bytes from the segment's start to the damage. */
    readonly offset: number,
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`the log is damaged in ${segment} at byte ${offset}: ${reason}`, options);
    this.name = 'LogCorruption';
  }
}

/** The segment was written by a program with a newer format. Nothing was changed. */
export class LogFormatUnsupported extends Error {
  constructor(
    readonly segment: string,
    readonly version: number,
    readonly supportedVersion: number,
  ) {
    super(
      `${segment} is written in log format version ${version}; this program reads versions up to ${supportedVersion}`,
    );
    this.name = 'LogFormatUnsupported';
  }
}

/** Whether an operating system's error says that the disk is full (or a quota is used up). */
export function isDiskFull(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
