import { StateError, type GroupId, type MemberId } from '#contracts';
import type { Digest } from '#state-machine';
import type { Clock } from '../ports';
import type { Replica } from '../replica';
import { decodeChunkRequest, encodeChunk, seal } from './chunk';

export interface SnapshotSenderOptions {
  readonly clock: Clock;
  readonly digest: Digest;
  readonly replica: (group: GroupId) => Replica | undefined;
  /** Whether a node may have what the group holds. */
  readonly mayCarry: (group: GroupId, member: MemberId) => boolean;
  readonly chunkBytes: number;
  /** A transfer nobody asked about for this long is given up, and the follower probed again. */
  readonly idleMs: number;
}

interface Transfer {
  readonly group: GroupId;
  readonly to: MemberId;
  readonly rows: Iterator<readonly [Uint8Array, Uint8Array]>;
  rowCount: number;
  sequence: number;
  /** The chunk sent last, for a follower whose connection broke before it arrived. */
  last: Uint8Array;
  usedMs: number;
}

const FIRST_KEY = new Uint8Array([0]);
const AFTER_LAST_KEY = new Uint8Array([0xff]);

/**
 * The sending side of a snapshot: a scan of the replica's state, opened when the follower asks for the first chunk
 * and handed out chunk by chunk as it asks. Asking is the backpressure, and the last chunk can be asked for again,
 * so a broken link costs one chunk. The scan sees the state as of its opening; writes go on beside it.
 */
export class SnapshotSender {
  private readonly transfers = new Map<number, Transfer>();
  /** Offers that have not been taken up, by `group/member`, and since when. */
  private readonly offers = new Map<string, { group: GroupId; to: MemberId; sinceMs: number }>();
  private nextTransfer = 1;
  private cancelSweep: () => void = () => undefined;

  constructor(private readonly options: SnapshotSenderOptions) {
    this.scheduleSweep();
  }

  /** The core told a follower to install a snapshot: it should come and ask. */
  offered(group: GroupId, to: MemberId): void {
    this.offers.set(`${group}/${to}`, { group, to, sinceMs: this.options.clock.monotonicMs() });
  }

  /** Answers a request for a chunk. Rejects with `conflict` when the transfer is gone and must start over. */
  serve(from: MemberId, body: Uint8Array): Promise<Uint8Array> {
    const { group, transfer: id, sequence } = decodeChunkRequest(body);
    if (!this.options.mayCarry(group, from)) {
      return Promise.reject(
        new StateError('region_not_allowed', 'The group may not leave the regions of its placement.'),
      );
    }
    const nowMs = this.options.clock.monotonicMs();
    const offer = this.offers.get(`${group}/${from}`);
    if (offer !== undefined) offer.sinceMs = nowMs;
    if (id === 0) return Promise.resolve(this.open(group, from, nowMs));
    const transfer = this.transfers.get(id);
    if (transfer === undefined || transfer.to !== from || transfer.group !== group) {
      return Promise.reject(new StateError('conflict', 'The snapshot transfer is gone; start it again.'));
    }
    transfer.usedMs = nowMs;
    if (sequence === transfer.sequence) return Promise.resolve(transfer.last);
    if (sequence !== transfer.sequence + 1) {
      return Promise.reject(
        new StateError('conflict', 'The snapshot transfer is elsewhere; start it again.'),
      );
    }
    transfer.sequence = sequence;
    transfer.last = this.next(id, transfer);
    return Promise.resolve(transfer.last);
  }

  stop(): void {
    this.cancelSweep();
    for (const id of this.transfers.keys()) this.end(id);
  }

  private open(group: GroupId, to: MemberId, nowMs: number): Uint8Array {
    const replica = this.options.replica(group);
    if (replica === undefined || replica.applied === 0) {
      throw new StateError('not_ready', 'This node has no state of the group to send.');
    }
    for (const [id, other] of this.transfers) if (other.group === group && other.to === to) this.end(id);
    const id = this.nextTransfer++;
    const rows = replica.store.scan({ gte: FIRST_KEY, lt: AFTER_LAST_KEY })[Symbol.iterator]();
    const transfer: Transfer = {
      group,
      to,
      rows,
      rowCount: 0,
      sequence: 0,
      last: new Uint8Array(0),
      usedMs: nowMs,
    };
    this.transfers.set(id, transfer);
    transfer.last = this.next(id, transfer);
    return transfer.last;
  }

  private next(id: number, transfer: Transfer): Uint8Array {
    const rows: (readonly [Uint8Array, Uint8Array])[] = [];
    let bytes = 0;
    let ended = false;
    while (bytes < this.options.chunkBytes) {
      const row = transfer.rows.next();
      if (row.done === true) {
        ended = true;
        break;
      }
      rows.push(row.value);
      bytes += row.value[0].length + row.value[1].length;
    }
    transfer.rowCount += rows.length;
    const totalRows = ended ? transfer.rowCount : undefined;
    return seal(
      encodeChunk({ transfer: id, sequence: transfer.sequence, totalRows, rows }),
      this.options.digest,
    );
  }

  private end(id: number): void {
    this.transfers.get(id)?.rows.return?.();
    this.transfers.delete(id);
  }

  private scheduleSweep(): void {
    this.cancelSweep = this.options.clock.after(this.options.idleMs / 2, () => {
      this.sweep();
      this.scheduleSweep();
    });
  }

  private sweep(): void {
    const idleSinceMs = this.options.clock.monotonicMs() - this.options.idleMs;
    for (const [id, { usedMs }] of this.transfers) if (usedMs < idleSinceMs) this.end(id);
    for (const [key, { group, to, sinceMs }] of this.offers) {
      if (sinceMs >= idleSinceMs) continue;
      this.offers.delete(key);
      // If it was installed after all, its answer has long moved the follower on and this changes nothing.
      this.options.replica(group)?.reportSnapshotFailed(to);
    }
  }
}
