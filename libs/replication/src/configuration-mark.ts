import type { LogIndex } from '#contracts';

/**
 * Where a replica's configuration in force comes from, and whether a crash of this machine leaves it as it is. The
 * log alone does not promise that: it holds the entry, but not yet the word that it was committed, and without that
 * a majority may be needed to say so again.
 */
export class ConfigurationMark {
  constructor(
    /** Index of the entry that made it, or a later one that it still held at. */
    private index: LogIndex,
    /** Applied up to here is what a crash leaves: flushed with the state, or committed by the durable log's word. */
    private keptThrough: LogIndex,
  ) {}

  get at(): LogIndex {
    return this.index;
  }

  get isKept(): boolean {
    return this.keptThrough >= this.index;
  }

  changedBy(index: LogIndex): void {
    this.index = index;
  }

  keptTo(index: LogIndex): void {
    if (index > this.keptThrough) this.keptThrough = index;
  }
}
