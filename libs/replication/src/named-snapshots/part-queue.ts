import type { GroupId, LogIndex, Term, CommitSeq } from '#contracts';
import type { StatePieces } from '#state-machine';
import type { Clock } from '../ports';
import type { SnapshotArchive, SnapshotPart } from './archive';

/** A state that is held open to be written. */
export interface PartToWrite {
  readonly snapshotId: string;
  readonly group: GroupId;
  readonly index: LogIndex;
  readonly term: Term;
  readonly commitSeq: CommitSeq;
  readonly pieces: StatePieces;
  readonly done: (part: SnapshotPart) => void;
  readonly failed: (error: Error) => void;
}

/**
 * Writes parts one after the other, beside everything else that the node does: a piece of some 64 KiB at a time, and
 * between two pieces all input that has arrived is handled, so that neither a write nor a heartbeat waits for more
 * than one of them.
 */
export class PartQueue {
  private readonly waiting: PartToWrite[] = [];
  private current: PartToWrite | undefined;
  private running = true;

  constructor(
    private readonly archive: SnapshotArchive,
    private readonly clock: Clock,
  ) {}

  add(part: PartToWrite): void {
    this.waiting.push(part);
    if (this.current === undefined) void this.run();
  }

  /** Gives up what is not wanted any more; a part that is being written ends at its next piece. */
  cancel(unwanted: (part: PartToWrite) => boolean): void {
    for (const part of [...this.waiting.filter(unwanted)]) {
      this.waiting.splice(this.waiting.indexOf(part), 1);
      part.pieces.close();
    }
    if (this.current !== undefined && unwanted(this.current)) this.current.pieces.close();
  }

  /** Resolves when nothing is being written: the states may be closed then. */
  async stop(): Promise<void> {
    this.running = false;
    this.cancel(() => true);
    while (this.current !== undefined) await this.soon();
  }

  private async run(): Promise<void> {
    for (let part = this.waiting.shift(); part !== undefined; part = this.waiting.shift()) {
      this.current = part;
      try {
        part.done(await this.write(part));
      } catch (error) {
        part.pieces.close();
        part.failed(error instanceof Error ? error : new Error(String(error)));
      }
      this.current = undefined;
    }
  }

  private async write(part: PartToWrite): Promise<SnapshotPart> {
    const { snapshotId, group, index, term, commitSeq, pieces } = part;
    const writer = this.archive.begin(snapshotId, group);
    let rows = 0;
    for (;;) {
      await this.soon();
      if (!this.running) throw new Error('the node is stopping');
      const piece = pieces.next();
      rows += piece.rows;
      await writer.write(piece);
      if (piece.isLast) break;
    }
    return writer.finish({ group, index, term, commitSeq, rows, digest: pieces.digest });
  }

  private soon(): Promise<void> {
    return new Promise((resolve) => this.clock.soon(resolve));
  }
}
