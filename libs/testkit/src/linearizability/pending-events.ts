import type { History } from './history';

/** The node before the first, and what follows the last. */
const SENTINEL = 0;

/**
 * The calls and returns of completed operations that are not linearized yet, in time order: the doubly linked list of
 * Lowe's "Testing for linearizability" (2017, section 3). Taking an operation out removes its call and its return;
 * nodes that were removed remember their neighbours, so that putting operations back in reverse order is two writes
 * each. Operations of unknown outcome are not in it: without a return they would never block the search nor end it.
 *
 * Nodes are numbers: 1 to n are calls, by the rank of the operation; n + 1 to 2n are returns. 0 is no node.
 */
export class PendingEvents {
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** For each node, how many operations of unknown outcome were called before it. */
  private readonly unknownBefore: Int32Array;
  private readonly count: number;
  /** Operations that are still in the list. */
  left: number;

  /** Both sorted by call. */
  constructor(completed: History<unknown, unknown>, unknown: History<unknown, unknown>) {
    this.count = completed.length;
    this.left = completed.length;
    this.next = new Int32Array(2 * this.count + 1);
    this.previous = new Int32Array(2 * this.count + 1);
    this.unknownBefore = new Int32Array(2 * this.count + 1);

    const events: { node: number; at: number; isReturn: boolean }[] = [];
    completed.forEach(({ calledAt, completion }, rank) => {
      const returnedAt = completion?.returnedAt ?? NaN;
      if (!(returnedAt >= calledAt))
        throw new Error(`operation called at ${calledAt} returned before it was called`);
      events.push({ node: rank + 1, at: calledAt, isReturn: false });
      events.push({ node: this.count + rank + 1, at: returnedAt, isReturn: true });
    });
    // At equal times calls come first, which makes the operations concurrent: the reading that accuses nobody.
    events.sort((left, right) => left.at - right.at || Number(left.isReturn) - Number(right.isReturn));

    let last = SENTINEL;
    let unknownCount = 0;
    for (const { node, at } of events) {
      while (unknownCount < unknown.length && unknown[unknownCount]!.calledAt <= at) unknownCount++;
      this.unknownBefore[node] = unknownCount;
      this.next[last] = node;
      this.previous[node] = last;
      last = node;
    }
  }

  first(): number {
    return this.next[SENTINEL]!;
  }

  after(node: number): number {
    return this.next[node]!;
  }

  /** Whether this is the return of an operation that was not placed yet: nothing called later may go before it. */
  isReturn(node: number): boolean {
    return node > this.count;
  }

  /** How many operations of unknown outcome, the earliest called first, may be placed next. There is one left. */
  unknownCalled(): number {
    let node = this.first();
    while (!this.isReturn(node)) node = this.after(node);
    return this.unknownBefore[node]!;
  }

  take(rank: number): void {
    this.unlink(rank + 1);
    this.unlink(this.count + rank + 1);
    this.left--;
  }

  /** Undoes the latest `take` that was not undone. */
  putBack(rank: number): void {
    this.relink(this.count + rank + 1);
    this.relink(rank + 1);
    this.left++;
  }

  private unlink(node: number): void {
    const next = this.next[node]!;
    const previous = this.previous[node]!;
    this.next[previous] = next;
    if (next !== SENTINEL) this.previous[next] = previous;
  }

  private relink(node: number): void {
    const next = this.next[node]!;
    const previous = this.previous[node]!;
    this.next[previous] = node;
    if (next !== SENTINEL) this.previous[next] = node;
  }
}
