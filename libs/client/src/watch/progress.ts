import type { ChangeEvent, DeleteEvent } from './events.js';

/**
 * How far a watch has come, across its connections: where the next one resumes, and what of it is known already.
 *
 * Only the last event of a batch says a position. A connection that is cut inside a batch resumes before it, and gets
 * the same events in the same order again; those that were delivered are counted and left out. The initial state has
 * no positions at all and starts over, so its ids are remembered until it is complete.
 */
export class Progress {
  private batchSeq = 0;
  /** Delivered events of the batch at `batchSeq`, and how many of them this connection has sent again. */
  private delivered = 0;
  private repeated = 0;
  /** What the initial state has delivered so far, while it is under way. */
  private initialIds: Map<string, number> | undefined;
  /** The ids of this connection's initial state. */
  private seen = new Set<string>();

  /** `position`: everything up to it is known, `undefined` to start with what comes. */
  constructor(
    public position: number | undefined,
    initial: boolean,
  ) {
    if (initial) this.initialIds = new Map();
  }

  /** Whether the next connection asks for the state as it is. */
  get wantsInitial(): boolean {
    return this.initialIds !== undefined;
  }

  /** A new connection has begun. */
  connected(): void {
    this.repeated = 0;
    this.seen = new Set();
  }

  /** The history is gone: start again with the state as it is. */
  startOver(): void {
    this.position = undefined;
    this.delivered = this.batchSeq = 0;
    this.initialIds = new Map();
  }

  /** Whether the event is new. */
  take({ commit_seq: seq, id }: ChangeEvent): boolean {
    if (this.initialIds !== undefined) {
      this.seen.add(id);
      const isNew = this.initialIds.get(id) !== seq;
      if (isNew) this.initialIds.set(id, seq);
      return isNew;
    }
    if (this.position !== undefined && seq <= this.position) return false;
    if (seq !== this.batchSeq) {
      this.batchSeq = seq;
      this.delivered = 1;
      this.repeated = 1;
      return true;
    }
    if (++this.repeated <= this.delivered) return false;
    this.delivered = this.repeated;
    return true;
  }

  /** Everything up to here has come. Gives what was delivered of an initial state that broke, and is gone since. */
  reached(position: number, ns: string): readonly DeleteEvent[] {
    // A position never goes back: a node that is behind the one before would make events come twice.
    if (this.position === undefined || position > this.position) this.position = position;
    const { initialIds, seen } = this;
    if (initialIds === undefined) return [];
    this.initialIds = undefined;
    const gone = [...initialIds.keys()].filter((id) => !seen.has(id));
    this.seen = new Set();
    const ts = new Date().toISOString();
    return gone.map((id) => ({ type: 'DELETE', ns, id, commit_seq: position, ts, reason: 'delete' }));
  }
}
