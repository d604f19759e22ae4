import { StateError, type GroupId, type MemberId } from '#contracts';
import { type ObjectScan, openScan, type StateReader } from '#state-machine';
import type { Clock, Random } from '../ports';
import type { Replica } from '../replica';
import { decodeScanQuestion, encodeScanAnswer, type ScanQuestion } from './history-bodies';
import { HISTORY_LIMITS } from './history-limits';
import type { ReplicaFor } from './watched-history';

export interface ScanServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly replica: ReplicaFor;
}

interface Open {
  readonly group: GroupId;
  readonly to: MemberId;
  readonly scan: ObjectScan;
  readonly replica: Replica;
  /** The state that is scanned: closed once an installed snapshot has taken its place. */
  readonly store: StateReader;
  page: number;
  /** The page given last, for an asker whose connection broke before it arrived. */
  last: Uint8Array;
  usedMs: number;
}

const NOTHING = new Uint8Array(0);
/** Numbers of scans do not begin where those of the process before began. */
const FIRST_SCANS = 0x4000_0000;

/** Scans of the state that this node has open for others, page by page as they ask. */
export class ScanService {
  private readonly open = new Map<number, Open>();
  private nextScan: number;
  private cancelSweep: (() => void) | undefined;

  constructor(private readonly options: ScanServiceOptions) {
    this.nextScan = 1 + options.random.below(FIRST_SCANS);
  }

  /** Rejects with `conflict` when the scan is gone, and with `overloaded` when there are too many. */
  serve(from: MemberId, body: Uint8Array): Uint8Array {
    const question = decodeScanQuestion(body);
    if (question.scan === 0) return this.begin(from, question);
    const open = this.open.get(question.scan);
    if (open === undefined || open.to !== from || open.group !== question.group) throw gone();
    if (question.page < 0) {
      this.end(question.scan);
      return NOTHING;
    }
    open.usedMs = this.options.clock.monotonicMs();
    if (question.page === open.page) return open.last;
    if (question.page !== open.page + 1) throw gone();
    if (open.replica.store !== open.store) {
      this.end(question.scan);
      throw gone();
    }
    open.page = question.page;
    return this.next(question.scan, open, question.maxBytes);
  }

  /** Ends the scans of a group whose replica goes away. */
  endGroup(group: GroupId): void {
    for (const [id, open] of this.open) if (open.group === group) this.end(id);
  }

  stop(): void {
    for (const id of [...this.open.keys()]) this.end(id);
  }

  private begin(to: MemberId, { group, ns, filter, maxBytes }: ScanQuestion): Uint8Array {
    if (this.open.size >= HISTORY_LIMITS.openScans) {
      throw new StateError('overloaded', 'Too many scans are open on the node that holds the namespace.', {
        retry_after: 1,
      });
    }
    const { clock, replica } = this.options;
    const scanned = replica(to, group, ns);
    const { store } = scanned;
    const scan = openScan(store, ns, filter, clock.wallMs());
    const open: Open = {
      group,
      to,
      scan,
      replica: scanned,
      store,
      page: 0,
      last: NOTHING,
      usedMs: clock.monotonicMs(),
    };
    const id = this.nextScan++;
    this.open.set(id, open);
    this.cancelSweep ??= clock.after(HISTORY_LIMITS.scanIdleMs / 2, this.sweep);
    return this.next(id, open, maxBytes);
  }

  private next(id: number, open: Open, maxBytes: number): Uint8Array {
    const rows = open.scan.next(Math.min(maxBytes, HISTORY_LIMITS.pageBytes));
    open.last = encodeScanAnswer({ scan: id, position: open.scan.position, rows });
    return open.last;
  }

  private end(id: number): void {
    this.open.get(id)?.scan.close();
    this.open.delete(id);
    if (this.open.size > 0) return;
    this.cancelSweep?.();
    this.cancelSweep = undefined;
  }

  private readonly sweep = (): void => {
    const { clock } = this.options;
    this.cancelSweep = clock.after(HISTORY_LIMITS.scanIdleMs / 2, this.sweep);
    const idleSinceMs = clock.monotonicMs() - HISTORY_LIMITS.scanIdleMs;
    for (const [id, { usedMs }] of this.open) if (usedMs < idleSinceMs) this.end(id);
  };
}

function gone(): StateError {
  return new StateError('conflict', 'The scan is gone; start it again.');
}
