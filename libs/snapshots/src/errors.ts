/** A file of a snapshot is not what was written: bytes changed, or some are missing. */
export class SnapshotCorruption extends Error {
  constructor(
    readonly file: string,
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`${file}: ${reason}`, options);
    this.name = 'SnapshotCorruption';
  }
}

/** A file that a newer program wrote. */
export class SnapshotFormatUnsupported extends Error {
  constructor(
    readonly file: string,
    readonly version: number,
    readonly supported: number,
  ) {
    super(`${file} has format ${version}; this program knows up to ${supported}`);
    this.name = 'SnapshotFormatUnsupported';
  }
}
