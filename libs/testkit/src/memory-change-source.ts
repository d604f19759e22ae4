import {
  commitSeq,
  type ChangeBatch,
  type ChangeEvent,
  type CommitSeq,
  type ScannedObject,
} from '#contracts';
import type { Arrival, ChangePage, ChangeSource, ObjectScan, WatchFilter } from '#watch';
import { stateAt } from './watch-rules';

/**
 * The history of one namespace in plain arrays: what was committed anywhere (`history`), how far this replica has
 * applied it, and where its retained part begins. Other namespaces of the group only take positions.
 */
export class MemoryChangeSource implements ChangeSource {
  readonly history: ChangeBatch[] = [];
  openScans = 0;
  /**
   * Makes it the history of a replica elsewhere: answers are made and arrive when the tasks that are handed to this
   * function run, and every seventh is lost.
   */
  later: ((task: () => void) => void) | undefined;
  private questions = 0;
  /** The newest position given out in the group. */
  head = commitSeq(0);
  private applied = commitSeq(0);
  private first = commitSeq(1);

  constructor(readonly ns: string) {}

  /** Commits a batch of this namespace; it is not applied here before {@link apply}. */
  commit(events: readonly ChangeEvent[], tsMs: number): ChangeBatch {
    const prevCommitSeq = this.history[this.history.length - 1]?.commitSeq ?? commitSeq(0);
    this.head = commitSeq(this.head + 1);
    const batch: ChangeBatch = { ns: this.ns, commitSeq: this.head, prevCommitSeq, tsMs, events };
    this.history.push(batch);
    return batch;
  }

  /** Commits of other namespaces of the group. */
  commitElsewhere(count: number): void {
    this.head = commitSeq(this.head + count);
  }

  /** The replica applies everything up to `position`. */
  apply(position: CommitSeq = this.head): void {
    if (position > this.applied) this.applied = position;
  }

  /** History before `first` is forgotten. */
  compact(first: CommitSeq): void {
    if (first > this.first) this.first = first;
  }

  position(ns: string): CommitSeq {
    return ns === this.ns ? this.applied : commitSeq(0);
  }

  firstAvailable(ns: string): CommitSeq {
    return ns === this.ns ? this.first : commitSeq(1);
  }

  changes(
    ns: string,
    from: CommitSeq,
    maxBytes: number,
    arrive: Arrival<ChangePage>,
  ): ChangePage | undefined {
    if (this.later === undefined) return this.page(ns, from, maxBytes);
    const isLost = ++this.questions % 7 === 0;
    this.later(() => {
      const gone = from < this.firstAvailable(ns);
      arrive(isLost ? undefined : gone ? { batches: [], through: from } : this.page(ns, from, maxBytes));
    });
    return undefined;
  }

  private page(ns: string, from: CommitSeq, maxBytes: number): ChangePage {
    if (from < this.firstAvailable(ns))
      throw new Error(`history before ${this.first} is gone, asked for ${from}`);
    const batches: ChangeBatch[] = [];
    let bytes = 0;
    for (const batch of ns === this.ns ? this.history : []) {
      if (batch.commitSeq < from || batch.commitSeq > this.applied) continue;
      if (bytes >= maxBytes) return { batches, through: batches[batches.length - 1]!.commitSeq };
      for (const event of batch.events) bytes += event.id.length + (event.object?.length ?? 0);
      batches.push(batch);
    }
    return { batches, through: this.position(ns) };
  }

  openScan(ns: string, filter: WatchFilter): ObjectScan {
    const position = this.position(ns);
    const state = ns === this.ns ? [...stateAt(this.history, filter, position).values()] : [];
    const rows = state
      .map(({ batch, event }) => ({
        id: event.id,
        commitSeq: batch.commitSeq,
        tsMs: batch.tsMs,
        json: event.object!,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    this.openScans++;
    return new ArrayScan(position, rows, () => this.openScans--, this.later);
  }
}

class ArrayScan implements ObjectScan {
  private offset = 0;
  private questions = 0;
  private open = true;

  constructor(
    readonly position: CommitSeq,
    private readonly rows: readonly ScannedObject[],
    private readonly onClose: () => void,
    private readonly later: ((task: () => void) => void) | undefined,
  ) {}

  next(maxBytes: number, arrive: Arrival<readonly ScannedObject[]>): readonly ScannedObject[] | undefined {
    if (!this.open) throw new Error('read from a closed scan');
    if (this.later === undefined) return this.page(maxBytes);
    const isLost = ++this.questions % 7 === 0;
    this.later(() => arrive(isLost ? undefined : this.page(maxBytes)));
    return undefined;
  }

  private page(maxBytes: number): readonly ScannedObject[] {
    const page: ScannedObject[] = [];
    for (let bytes = 0; bytes < maxBytes && this.offset < this.rows.length; this.offset++) {
      const row = this.rows[this.offset]!;
      bytes += row.json.length;
      page.push(row);
    }
    return page;
  }

  close(): void {
    if (!this.open) throw new Error('a scan closed twice');
    this.open = false;
    this.onClose();
  }
}
