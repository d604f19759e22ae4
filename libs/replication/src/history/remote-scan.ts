import type { CommitSeq, GroupId, MemberId, ScannedObject } from '#contracts';
import type { Arrival, ObjectScan, WatchFilter } from '#watch';
import { PeerKind } from '../peers/peer-kinds';
import { decodeScanAnswer, encodeQuestion, type ScanAnswer } from './history-bodies';
import { HISTORY_LIMITS } from './history-limits';
import type { Holders } from './holders';

/** What is scanned. */
interface Wanted {
  readonly group: GroupId;
  readonly ns: string;
  readonly filter: WatchFilter;
}

/**
 * A scan that another node has open for this one. Asking for a page is the backpressure. It lives and dies with
 * the replica that opened it, because another one would show another moment.
 */
export class RemoteScan implements ObjectScan {
  position = 0 as CommitSeq;
  private id = 0;
  private page = 0;
  private holder: MemberId | undefined;
  private state: 'open' | 'ended' | 'closed' = 'open';

  constructor(
    private readonly holders: Holders,
    private readonly wanted: Wanted,
    private readonly learned: (position: CommitSeq) => void,
  ) {}

  next(maxBytes: number, arrive: Arrival<readonly ScannedObject[]>): readonly ScannedObject[] | undefined {
    if (this.state !== 'open') return [];
    this.ask(maxBytes).then(
      (answer) => {
        this.take(answer);
        arrive(answer.rows);
      },
      () => arrive(undefined),
    );
    return undefined;
  }

  close(): void {
    const wasOpen = this.state === 'open';
    this.state = 'closed';
    if (wasOpen) this.tellClosed();
  }

  private async ask(maxBytes: number): Promise<ScanAnswer> {
    const question = encodeQuestion({ ...this.wanted, scan: this.id, page: this.page, maxBytes });
    const { answerTimeoutMs, scanAttempts } = HISTORY_LIMITS;
    const { holder } = this;
    if (holder === undefined) {
      const { by, answer } = await this.holders.ask(
        this.wanted.group,
        PeerKind.scan,
        question,
        answerTimeoutMs,
      );
      this.holder = by;
      return decodeScanAnswer(answer);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return decodeScanAnswer(await this.holders.askOne(holder, PeerKind.scan, question, answerTimeoutMs));
      } catch (error) {
        if (attempt >= scanAttempts || this.state === 'closed') throw error;
      }
    }
  }

  private take({ scan, position, rows }: ScanAnswer): void {
    this.id = scan;
    this.position = position;
    this.page++;
    this.learned(position);
    // Closed while the first page was on its way: only now there is something to tell.
    if (this.state === 'closed') this.tellClosed();
    else if (rows.length === 0) this.state = 'ended';
  }

  /** A courtesy: who is not told closes the scan when nobody asks about it. */
  private tellClosed(): void {
    if (this.holder === undefined || this.id === 0) return;
    const question = encodeQuestion({ ...this.wanted, scan: this.id, page: -1, maxBytes: 0 });
    this.holders
      .askOne(this.holder, PeerKind.scan, question, HISTORY_LIMITS.answerTimeoutMs)
      .catch(() => undefined);
  }
}
