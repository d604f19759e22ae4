import type { ChangeBatch, CommitSeq, MemberId } from '#contracts';
import { firstAvailable, newestChange, readChanges } from '#state-machine';
import type { Clock } from '../ports';
import { decodeChangesQuestion, encodeChangesAnswer, type ChangesQuestion } from './history-bodies';
import { HISTORY_LIMITS } from './history-limits';
import type { ReplicaFor } from './watched-history';

export interface ChangesServiceOptions {
  readonly clock: Clock;
  readonly replica: ReplicaFor;
}

/** Gives other nodes pages of the changes that this one holds, at once or when there is a new one. */
export class ChangesService {
  /** Who waits for the next change of a namespace. */
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(private readonly options: ChangesServiceOptions) {}

  /** A batch was applied here. On the path of every write: it costs a look into an empty map when nobody waits. */
  published(batch: ChangeBatch): void {
    const waiting = this.waiting.get(batch.ns);
    if (waiting === undefined) return;
    this.waiting.delete(batch.ns);
    for (const wake of waiting) wake();
  }

  async serve(from: MemberId, body: Uint8Array): Promise<Uint8Array> {
    const question = decodeChangesQuestion(body);
    const { clock, replica } = this.options;
    const { group, ns, seen, waitMs } = question;
    if (seen > replica(from, group, ns).commitSeq) {
      const deadlineMs = clock.monotonicMs() + HISTORY_LIMITS.confirmTimeoutMs;
      await replica(from, group, ns).readLinearizable(() => undefined, deadlineMs);
    }
    if (waitMs > 0 && !this.hasNews(from, question)) {
      await this.change(ns, Math.min(waitMs, HISTORY_LIMITS.waitMs));
    }
    return this.read(from, question);
  }

  private hasNews(asker: MemberId, { group, ns, from }: ChangesQuestion): boolean {
    const { store } = this.options.replica(asker, group, ns);
    return newestChange(store, ns) >= from || firstAvailable(store, ns) > from;
  }

  private read(asker: MemberId, { group, ns, from, maxBytes }: ChangesQuestion): Uint8Array {
    const { store, commitSeq } = this.options.replica(asker, group, ns);
    const page = readChanges(store, ns, from as CommitSeq, Math.min(maxBytes, HISTORY_LIMITS.pageBytes));
    return encodeChangesAnswer({ position: commitSeq, firstAvailable: firstAvailable(store, ns), ...page });
  }

  private change(ns: string, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.waiting.get(ns) ?? new Set();
      this.waiting.set(ns, waiting);
      const wake = (): void => {
        cancel();
        resolve();
      };
      const cancel = this.options.clock.after(waitMs, () => {
        waiting.delete(wake);
        if (waiting.size === 0 && this.waiting.get(ns) === waiting) this.waiting.delete(ns);
        resolve();
      });
      waiting.add(wake);
    });
  }
}
