import type { CommitSeq, GroupId } from '#contracts';
import type { Arrival, ChangePage, ChangeSource, ObjectScan, WatchFilter } from '#watch';
import { PeerKind } from '../peers/peer-kinds';
import { HISTORY_LIMITS } from './history-limits';
import { decodeChangesAnswer, encodeQuestion, type ChangesAnswer } from './history-bodies';
import type { Holders } from './holders';
import { RemoteScan } from './remote-scan';

/** Beyond every position: who asks from here on wants no change, only to know how far the history goes. */
const NO_CHANGES = Number.MAX_SAFE_INTEGER as CommitSeq;
const NOTHING = 0 as CommitSeq;
const FIRST = 1 as CommitSeq;

interface Known {
  position: CommitSeq;
  firstAvailable: CommitSeq;
}

interface Asking {
  readonly ns: string;
  readonly from: CommitSeq;
  readonly maxBytes: number;
  readonly arrivals: Arrival<ChangePage>[];
}

/**
 * The history of namespaces that this node holds no replica of, read from nodes that do. It remembers of each
 * watched namespace how far its history is known to go, and nothing of the history itself.
 */
export class RemoteHistory implements ChangeSource {
  private readonly known = new Map<string, Known>();
  /** Pages that are asked for or wait for that, by what is asked: who wants the same gets the same. */
  private readonly asking = new Map<string, Asking>();
  private readonly queue: Asking[] = [];
  private asked = 0;

  constructor(
    private readonly holders: Holders,
    private readonly groupOf: (ns: string) => GroupId,
  ) {}

  knows(ns: string): boolean {
    return this.known.has(ns);
  }

  /** There is a change at `position`: somebody has told so who knows. */
  heard(ns: string, position: CommitSeq): void {
    const known = this.known.get(ns);
    if (known !== undefined && position > known.position) known.position = position;
  }

  /** Nobody watches the namespace any more. */
  forget(ns: string): void {
    this.known.delete(ns);
  }

  /**
   * Learns how far the history goes; if somebody has seen `seen`, at least as far as a quorum knows. Rejects when
   * no replica can be asked, or none can tell.
   */
  async open(ns: string, seen: CommitSeq): Promise<void> {
    if (seen <= this.position(ns) && this.known.has(ns)) return;
    await this.page({ ns, from: NO_CHANGES, maxBytes: 0, waitMs: 0, seen });
  }

  /** One page, once there is a change at or after `from` or `waitMs` is over. Rejects as {@link open} does. */
  async page(asked: {
    readonly ns: string;
    readonly from: CommitSeq;
    readonly maxBytes: number;
    readonly waitMs: number;
    readonly seen: CommitSeq;
  }): Promise<ChangesAnswer> {
    const question = encodeQuestion({ group: this.groupOf(asked.ns), ...asked });
    const timeoutMs = asked.waitMs + HISTORY_LIMITS.answerTimeoutMs;
    const { answer } = await this.holders.ask(this.groupOf(asked.ns), PeerKind.changes, question, timeoutMs);
    const page = decodeChangesAnswer(answer);
    this.learn(asked.ns, page);
    return page;
  }

  position(ns: string): CommitSeq {
    return this.known.get(ns)?.position ?? NOTHING;
  }

  firstAvailable(ns: string): CommitSeq {
    return this.known.get(ns)?.firstAvailable ?? FIRST;
  }

  changes(ns: string, from: CommitSeq, maxBytes: number, arrive: Arrival<ChangePage>): undefined {
    const key = `${from} ${ns}`;
    const same = this.asking.get(key);
    if (same !== undefined) {
      same.arrivals.push(arrive);
      return;
    }
    const asking = { ns, from, maxBytes, arrivals: [arrive] };
    this.asking.set(key, asking);
    this.queue.push(asking);
    this.askNext();
  }

  openScan(ns: string, filter: WatchFilter): ObjectScan {
    const learned = (position: CommitSeq): void => this.heard(ns, position);
    return new RemoteScan(this.holders, { group: this.groupOf(ns), ns, filter }, learned);
  }

  private askNext(): void {
    while (this.asked < HISTORY_LIMITS.pagesAsked) {
      const asking = this.queue.shift();
      if (asking === undefined) return;
      this.asked++;
      const { ns, from, maxBytes } = asking;
      this.page({ ns, from, maxBytes, waitMs: HISTORY_LIMITS.waitMs, seen: NOTHING }).then(
        (page) => this.arrived(asking, page),
        () => this.arrived(asking, undefined),
      );
    }
  }

  private arrived(asking: Asking, page: ChangePage | undefined): void {
    this.asked--;
    this.asking.delete(`${asking.from} ${asking.ns}`);
    this.askNext();
    for (const arrive of asking.arrivals) arrive(page);
  }

  /** Positions never go back: a replica that answers later may know less. */
  private learn(ns: string, { position, firstAvailable }: ChangesAnswer): void {
    const known = this.known.get(ns);
    if (known === undefined) this.known.set(ns, { position, firstAvailable });
    else {
      if (position > known.position) known.position = position;
      known.firstAvailable = firstAvailable;
    }
  }
}
