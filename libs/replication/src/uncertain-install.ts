/**
 * Another state was made to count, and whether that outlives a crash is not known: the disk failed in between. The
 * process must end without changing either state; the next start takes the one that the disk names.
 */
export class UncertainInstall extends Error {
  constructor(
    /** The folder of the replica. */
    readonly location: string,
    cause: unknown,
  ) {
    super(`which state of ${location} counts is not known until the next start`, { cause });
    this.name = 'UncertainInstall';
  }
}
