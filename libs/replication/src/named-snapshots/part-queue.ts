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

/** Of the loop's time beside others: a piece is followed by as many times its own duration that is theirs. */
const OTHERS_SHARE = 2;
/** A turn of the loop in which nobody else had anything to do takes less than this. */
const IDLE_TURN_MS = 0.2;

/**
 * Writes parts one after the other, beside everything else that the node does: a piece of some 64 KiB at a time, and
 * between two pieces all input that has arrived is handled, so that neither a write nor a heartbeat waits for more
 * than one of them. A node that is busy has two thirds of its time for its clients; one that is not reads on at once.
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
    const { clock } = this;
    const writer = this.archive.begin(snapshotId, group);
    let rows = 0;
    let [startMs, endMs] = [0, 0];
    for (;;) {
      await this.leaveRoom(endMs + OTHERS_SHARE * (endMs - startMs));
      if (!this.running) throw new Error('the node is stopping');
      startMs = clock.monotonicMs();
      const piece = pieces.next();
      endMs = clock.monotonicMs();
      rows += piece.rows;
      await writer.write(piece);
      if (piece.isLast) break;
    }
    return writer.finish({ group, index, term, commitSeq, rows, digest: pieces.digest });
  }

  /** Resolves after one turn of everything else, and, while there is something else to do, not before `untilMs`. */
  private async leaveRoom(untilMs: number): Promise<void> {
    for (;;) {
      const turnMs = this.clock.monotonicMs();
      await this.soon();
      const nowMs = this.clock.monotonicMs();
      if (nowMs >= untilMs || nowMs - turnMs < IDLE_TURN_MS || !this.running) return;
    }
  }

  private soon(): Promise<void> {
    return new Promise((resolve) => this.clock.soon(resolve));
  }
}
