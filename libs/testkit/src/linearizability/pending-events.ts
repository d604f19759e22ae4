import type { History } from './history';

/** The end of both lists, and the node before the first completed operation. */
const SENTINEL = 0;

/**
 * The calls and returns that are not linearized yet, in time order: the doubly linked list of Lowe's "Testing for
 * linearizability" (2017, section 3). Taking an operation out removes its call and its return; links that were
 * removed remember their neighbours, so that putting operations back in reverse order is two writes each.
 *
 * Operations of unknown outcome have a call and no return, so they would never block the search and never end it.
 * They are kept in a list of their own, which lets the search try them last.
 *
 * Nodes are numbers: 1 to n are calls, by the rank of the operation; n + 1 to 2n are returns. 0 is no node.
 */
export class PendingEvents {
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** Position of each node in the time order of all events. */
  private readonly position: Int32Array;
  /** The node before the first unknown operation. */
  private readonly unknownSentinel: number;
  private readonly operationCount: number;
  /** Completed operations that are still in the list. */
  completedLeft: number;

  /** `ranked` holds the completed operations first, then the unknown ones, each sorted by call. */
  constructor(
    ranked: History<unknown, unknown>,
    readonly completedCount: number,
  ) {
    const operationCount = ranked.length;
    this.completedLeft = completedCount;
    this.next = new Int32Array(2 * operationCount + 2);
    this.previous = new Int32Array(2 * operationCount + 2);
    this.position = new Int32Array(2 * operationCount + 2);
    this.operationCount = operationCount;
    this.unknownSentinel = 2 * operationCount + 1;

    const events: { node: number; at: number; isReturn: boolean }[] = [];
    ranked.forEach(({ calledAt, completion }, rank) => {
      events.push({ node: rank + 1, at: calledAt, isReturn: false });
      if (!completion) return;
      if (!(completion.returnedAt >= calledAt)) throw new Error(`operation returned before it was called`);
      events.push({ node: operationCount + rank + 1, at: completion.returnedAt, isReturn: true });
    });
    // At equal times calls come first, which makes the operations concurrent: the reading that accuses nobody.
    events.sort((left, right) => left.at - right.at || Number(left.isReturn) - Number(right.isReturn));

    let lastCompleted = SENTINEL;
    let lastUnknown = this.unknownSentinel;
    events.forEach(({ node }, position) => {
      this.position[node] = position + 1;
      const isUnknown = node > completedCount && node <= operationCount;
      const last = isUnknown ? lastUnknown : lastCompleted;
      this.next[last] = node;
      this.previous[node] = last;
      if (isUnknown) lastUnknown = node;
      else lastCompleted = node;
    });
  }

  /** The first node of completed operations; the next ones follow with `after` until a return blocks. */
  first(): number {
    return this.next[SENTINEL]!;
  }

  firstOfUnknown(): number {
    return this.next[this.unknownSentinel]!;
  }

  after(node: number): number {
    return this.next[node]!;
  }

  /** Whether this is the return of an operation that was not placed yet: nothing called later may go before it. */
  isReturn(node: number): boolean {
    return node > this.operationCount;
  }

  positionOf(node: number): number {
    return this.position[node]!;
  }

  take(rank: number): void {
    this.unlink(rank + 1);
    if (rank >= this.completedCount) return;
    this.unlink(this.operationCount + rank + 1);
    this.completedLeft--;
  }

  /** Undoes the latest `take` that was not undone. */
  putBack(rank: number): void {
    if (rank < this.completedCount) {
      this.relink(this.operationCount + rank + 1);
      this.completedLeft++;
    }
    this.relink(rank + 1);
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
