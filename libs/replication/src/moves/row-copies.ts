import type { MemberId, RowPlace } from '#contracts';
import { TouchedRows, exportPlaces, exportRows, readNamespace, type WriteSet } from '#state-machine';
import type { Clock } from '../ports';
import { moved } from '../refusals';
import type { Replica } from '../replica';
import type { RowAnswer, RowRequest } from './row-request';

/** Bytes of one page of rows: an entry of the log where they go. */
export const ROW_PAGE_BYTES = 262_144;
/** A copy that nobody has asked about for this long is let go. */
const IDLE_MS = 60_000;
/** Rows that may be touched under a copy: more would cost memory, and the namespace is then copied frozen. */
const MOST_TOUCHED_ROWS = 1_000_000;

/** A namespace that is copied from a replica while it is written there. */
interface Copy {
  readonly from: MemberId;
  readonly request: Pick<RowRequest, 'ns' | 'generation' | 'attempt'>;
  readonly replica: Replica;
  readonly touched: TouchedRows;
  round: number;
  places: readonly RowPlace[];
  usedMs: number;
  /** Not everything that was written is known any more. */
  isLost: boolean;
  end: () => void;
}

/**
 * The copies that are made from this node's replicas ahead of a freeze. What is touched is noted in memory alone: a
 * copy goes on only at the node, and in the life, that it began at; otherwise it begins anew, or is made frozen.
 */
export class RowCopies {
  private readonly copies = new Map<string, Copy>();

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  /** Answers `ahead`, `touched` and `last`. Throws what says that a copy cannot go on here. */
  page(from: MemberId, replica: Replica, request: RowRequest): RowAnswer {
    this.endIdle();
    const copy =
      request.stage === 'ahead' && request.after === undefined
        ? this.begin(from, replica, request)
        : this.known(from, replica, request);
    copy.usedMs = this.clock.monotonicMs();
    const { ns, stage, after } = request;
    if (stage === 'ahead') {
      const page = exportRows(replica.store, ns, after, ROW_PAGE_BYTES);
      return { ...page, commitSeq: replica.commitSeq, waiting: copy.touched.size, given: 0 };
    }
    return this.roundPage(copy, request);
  }

  private begin(from: MemberId, replica: Replica, request: RowRequest): Copy {
    const { ns, generation } = request;
    this.copies.get(ns)?.end();
    const tenancy = replica.tenants.get(ns);
    const namespace = readNamespace(replica.store, ns);
    // One that is frozen already is copied as it is, and of one without rows there is nothing to copy ahead.
    if (tenancy?.generation === generation || !replica.tenants.mayRead(ns) || namespace === undefined)
      throw moved();
    const touched = new TouchedRows(namespace.number);
    const copy: Copy = {
      ...{ from, request, replica, touched },
      ...{ round: 0, places: [], usedMs: 0, isLost: false, end: () => undefined },
    };
    const stop = replica.follow({
      wrote: (writes: WriteSet) => {
        touched.wrote(writes);
        if (touched.size > MOST_TOUCHED_ROWS) lose();
      },
      lost: () => lose(),
    });
    const lose = (): void => {
      copy.isLost = true;
      stop();
      touched.take();
    };
    copy.end = () => {
      lose();
      if (this.copies.get(ns) === copy) this.copies.delete(ns);
    };
    this.copies.set(ns, copy);
    return copy;
  }

  private known(from: MemberId, replica: Replica, { ns, generation, attempt }: RowRequest): Copy {
    const copy = this.copies.get(ns);
    const isOf =
      copy?.from === from &&
      copy.replica === replica &&
      copy.request.generation === generation &&
      copy.request.attempt === attempt;
    if (!isOf || copy.isLost || !replica.tenants.mayRead(ns)) throw moved();
    return copy;
  }

  /** A round that is asked for again has the same places; values may be newer, and then come again in the next. */
  private roundPage(copy: Copy, { ns, stage, generation, round, given }: RowRequest): RowAnswer {
    const { replica, touched } = copy;
    if (stage === 'last') {
      const tenancy = replica.tenants.get(ns);
      if (tenancy?.state !== 'frozen' || tenancy.generation !== generation) throw moved();
    }
    if (round === copy.round + 1) {
      copy.round = round;
      copy.places = touched.take();
    }
    if (round !== copy.round || given > copy.places.length) throw moved();
    const page = exportPlaces(replica.store, ns, copy.places, { from: given, maxBytes: ROW_PAGE_BYTES });
    const { commitSeq } = replica;
    return { rows: page.rows, next: undefined, commitSeq, waiting: touched.size, given: page.next };
  }

  private endIdle(): void {
    const idleSinceMs = this.clock.monotonicMs() - IDLE_MS;
    for (const copy of this.copies.values()) if (copy.usedMs < idleSinceMs) copy.end();
  }
}
