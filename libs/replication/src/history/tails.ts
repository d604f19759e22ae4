import type { CommitSeq } from '#contracts';
import type { WatchHub } from '#watch';
import type { Clock, Random } from '../ports';
import { HISTORY_LIMITS } from './history-limits';
import type { RemoteHistory } from './remote-history';

export interface TailsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly remote: RemoteHistory;
  /** Whether the namespace's changes are applied on this node. */
  readonly isLocal: (ns: string) => boolean;
  /** Whether a bus brings the namespace's changes now, so that asking is needed for what it loses alone. */
  readonly isCarried: (ns: string) => boolean;
}

interface Tail {
  /** Ends a wait early. */
  wake: () => void;
}

const NOTHING_SEEN = 0 as CommitSeq;

/**
 * Follows the watched namespaces that this node holds no replica of: one question stands at a holder for each, and
 * is answered when there is a change. Everything that came meanwhile comes with one answer, so that it keeps up
 * however fast the changes are. While a bus brings the changes it only asks now and then.
 */
export class Tails {
  private hub: WatchHub | undefined;
  private readonly watched = new Set<string>();
  private readonly tails = new Map<string, Tail>();
  private stopped = false;

  constructor(private readonly options: TailsOptions) {}

  /** Where the changes go; set once, before the first watch. */
  feed(hub: WatchHub): void {
    this.hub = hub;
  }

  set(ns: string, watched: boolean): void {
    if (watched) {
      this.watched.add(ns);
      this.begin(ns);
      return;
    }
    this.watched.delete(ns);
    this.tails.get(ns)?.wake();
    this.tails.delete(ns);
  }

  /** Replicas come and go: follows what is not here any more. */
  look(): void {
    for (const ns of this.watched) this.begin(ns);
  }

  /** The bus came or went: everybody asks again, in the manner that is right now. */
  wake(): void {
    for (const { wake } of this.tails.values()) wake();
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  private begin(ns: string): void {
    if (this.stopped || this.tails.has(ns) || this.options.isLocal(ns)) return;
    const tail: Tail = { wake: () => undefined };
    this.tails.set(ns, tail);
    void this.follow(ns, tail).finally(() => {
      if (this.tails.get(ns) === tail) this.tails.delete(ns);
    });
  }

  private async follow(ns: string, tail: Tail): Promise<void> {
    const { isCarried, isLocal } = this.options;
    let failures = 0;
    // The first question comes after the watcher's feed was made, which knows where to begin.
    await this.pause(tail, 0);
    while (this.tails.get(ns) === tail && !this.stopped && !isLocal(ns)) {
      const carried = isCarried(ns);
      const took = await this.ask(ns, carried ? 0 : HISTORY_LIMITS.waitMs);
      failures = took ? 0 : failures + 1;
      if (!took) await this.pause(tail, this.retryMs(failures));
      else if (carried) await this.pause(tail, HISTORY_LIMITS.slowFollowMs);
    }
  }

  private async ask(ns: string, waitMs: number): Promise<boolean> {
    const { hub } = this;
    if (hub === undefined) throw new Error('a tail without a hub');
    const from = (hub.position(ns) + 1) as CommitSeq;
    const asked = { ns, from, maxBytes: HISTORY_LIMITS.pageBytes, waitMs, seen: NOTHING_SEEN };
    const page = await this.options.remote.page(asked).catch(() => undefined);
    if (page === undefined || this.stopped) return false;
    hub.supply(ns, from, page);
    return true;
  }

  private retryMs(failures: number): number {
    const { retryMinMs, retryMaxMs } = HISTORY_LIMITS;
    const most = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(failures, 10));
    return most / 2 + this.options.random.below(Math.ceil(most / 2));
  }

  private pause(tail: Tail, forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(forMs, resolve);
      tail.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
