/**
 * A replica's stored state is damaged: a checksum did not match, or a file is missing. What was read is not to be
 * trusted, and the replica must be set aside and rebuilt from its peers; a single node stops and says so.
 */
export class StateCorruption extends Error {
  constructor(
    /** The folder of the damaged replica. */
    readonly location: string,
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(`state in ${location} is damaged: ${detail}`, options);
    this.name = 'StateCorruption';
  }
}
