import type { History, Operation } from './history';
import type { Model } from './model';
import { PendingEvents } from './pending-events';
import { VisitedConfigurations } from './visited-configurations';

export type SearchResult<State, Input, Output> =
  | { readonly kind: 'linearizable'; readonly configurations: number }
  | { readonly kind: 'illegal'; readonly configurations: number; readonly stuck: Stuck<State, Input, Output> }
  | {
      readonly kind: 'unknown';
      readonly configurations: number;
      readonly reason: 'time_limit' | 'configuration_limit';
    };

/** The furthest that the search came. */
export interface Stuck<State, Input, Output> {
  /** The longest linearizable prefix, in its order. */
  readonly placed: History<Input, Output>;
  /** The state after it. */
  readonly state: State;
  /** Completed operations of which one would have to come next; none can. */
  readonly unplaced: History<Input, Output>;
}

export interface SearchLimits {
  /** Most configurations to visit. Each takes some 200 bytes and what its state takes. */
  readonly configurationLimit: number;
  /** Asked every `DEADLINE_INTERVAL` steps. */
  readonly isOverdue: () => boolean;
}

const DEADLINE_INTERVAL = 512;

/** The alternatives of an operation that need not be reconsidered. */
const FORCED: readonly never[] = [];

/** One completed operation that was placed, and how to go on if it turns out to be the wrong one. */
interface Placement<State> {
  readonly kind: 'placement';
  readonly rank: number;
  readonly stateBefore: State;
  /** What the operation may lead to, and which of it is being tried. */
  readonly states: readonly State[];
  readonly choice: number;
}

/**
 * Operations of unknown outcome that are tried in a row, without a completed one in between. Shorter rows are tried
 * before longer ones: a row that leads to the state of another with more operations spent is then never followed,
 * and the number of rows stays near the number of states instead of that of orders.
 */
interface UnknownRows<State> {
  readonly kind: 'unknown_rows';
  readonly stateBefore: State;
  /** Grows while it is worked off. */
  readonly rows: UnknownRow<State>[];
  current: number;
}

interface UnknownRow<State> {
  readonly ranks: readonly number[];
  readonly state: State;
}

/**
 * Looks for an order of one partition's operations that the model allows and that keeps every operation between its
 * call and its return: Wing and Gong's depth-first search (1993) with Lowe's memoisation (2017).
 */
export function searchLinearization<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  limits: SearchLimits,
): SearchResult<State, Input, Output> {
  return new Search(model, history, limits).run();
}

class Search<State, Input, Output> {
  /** Completed operations first, then unknown ones, each by call. A rank is a position in it. */
  private readonly ranked: History<Input, Output>;
  private readonly completedCount: number;
  private readonly pending: PendingEvents;
  private readonly visited: VisitedConfigurations<State>;
  private readonly path: (Placement<State> | UnknownRows<State>)[] = [];
  private state: State;
  private fewestLeft = Infinity;
  private furthest: Omit<Stuck<State, Input, Output>, 'placed'>;
  /** The ranks along the path to `furthest`; its first `sharedLength` parts are those of the present path. */
  private readonly furthestPath: (readonly number[])[] = [];
  private sharedLength = 0;

  constructor(
    private readonly model: Model<State, Input, Output>,
    history: History<Input, Output>,
    private readonly limits: SearchLimits,
  ) {
    const byCall = history.toSorted((left, right) => left.calledAt - right.calledAt);
    const completed = byCall.filter((operation) => operation.completion);
    const unknown = byCall.filter((operation) => !operation.completion);
    this.ranked = [...completed, ...unknown];
    this.completedCount = completed.length;
    this.pending = new PendingEvents(completed, unknown);
    this.visited = new VisitedConfigurations(completed.length, unknown.length, model);
    this.state = model.init();
    this.furthest = { state: this.state, unplaced: [] };
  }

  run(): SearchResult<State, Input, Output> {
    let node: number | undefined = this.placeReads();
    for (let steps = 0; this.pending.left > 0; steps++) {
      const configurations = this.visited.count;
      if (configurations > this.limits.configurationLimit)
        return { kind: 'unknown', configurations, reason: 'configuration_limit' };
      if (steps % DEADLINE_INTERVAL === 0 && this.limits.isOverdue())
        return { kind: 'unknown', configurations, reason: 'time_limit' };

      if (!this.pending.isReturn(node)) {
        const { input, completion } = this.ranked[node - 1]!;
        const states = this.model.step(this.state, input, completion!.output);
        node = this.place(node - 1, states, 0) ? this.placeReads() : this.pending.after(node);
        continue;
      }
      this.rememberIfFurthest();
      node = this.reconsider();
      if (node === undefined) {
        const placed = this.furthestPath.flat().map((rank) => this.ranked[rank]!);
        return { kind: 'illegal', configurations, stuck: { placed, ...this.furthest } };
      }
    }
    return { kind: 'linearizable', configurations: this.visited.count };
  }

  /** Linearizes a completed operation next, with the first of these states, from `choice` on, that is new. */
  private place(rank: number, states: readonly State[], choice: number): boolean {
    if (choice >= states.length) return false;
    this.visited.toggle(rank);
    for (let at = choice; at < states.length; at++) {
      if (!this.visited.visit(states[at]!)) continue;
      this.path.push({ kind: 'placement', rank, stateBefore: this.state, states, choice: at });
      this.pending.take(rank);
      this.state = states[at]!;
      return true;
    }
    this.visited.toggle(rank);
    return false;
  }

  /**
   * Places every completed operation that fits now and only reads, then gives the first node to choose from. If the
   * rest can be ordered at all, it can with these operations here: taking them out of their later places breaks
   * nothing there, because nothing depends on them.
   */
  private placeReads(): number {
    const { pending, model } = this;
    let node = pending.first();
    while (pending.left > 0 && !pending.isReturn(node)) {
      const rank = node - 1;
      node = pending.after(node);
      const { input, completion } = this.ranked[rank]!;
      if (!model.isReadOnly(input, completion!.output)) continue;
      const states = model.step(this.state, input, completion!.output);
      if (states.length !== 1 || !model.covers(states[0]!, this.state)) continue;
      this.path.push({ kind: 'placement', rank, stateBefore: this.state, states: FORCED, choice: 0 });
      pending.take(rank);
      this.visited.toggle(rank);
      // The return that blocked may have been this operation's own.
      node = pending.first();
    }
    return pending.first();
  }

  /**
   * No completed operation leads on from here. Tries operations of unknown outcome before them, then other choices
   * further back. Gives the node to go on with, or undefined when everything has been tried.
   */
  private reconsider(): number | undefined {
    if (this.path.at(-1)?.kind !== 'unknown_rows') {
      const rows = this.rowsAfter([]);
      if (rows.length > 0) {
        this.path.push({ kind: 'unknown_rows', stateBefore: this.state, rows, current: 0 });
        this.enter(rows[0]!);
        return this.placeReads();
      }
    }
    for (let latest = this.path.at(-1); latest; latest = this.path.at(-1)) {
      this.sharedLength = Math.min(this.sharedLength, this.path.length - 1);
      if (latest.kind === 'unknown_rows') {
        if (this.enterNextRow(latest)) return this.placeReads();
        this.path.pop();
        continue;
      }
      this.path.pop();
      this.pending.putBack(latest.rank);
      this.visited.toggle(latest.rank);
      this.state = latest.stateBefore;
      if (latest.states === FORCED) continue;
      if (this.place(latest.rank, latest.states, latest.choice + 1)) return this.placeReads();
      return this.pending.after(latest.rank + 1);
    }
    return undefined;
  }

  private enter(row: UnknownRow<State>): void {
    for (const rank of row.ranks) this.visited.toggle(rank);
    this.state = row.state;
  }

  /** Leaves the present row, noting the longer ones that begin with it, and enters the next. */
  private enterNextRow(unknownRows: UnknownRows<State>): boolean {
    const { rows } = unknownRows;
    const { ranks } = rows[unknownRows.current]!;
    for (const longer of this.rowsAfter(ranks)) rows.push(longer);
    for (const rank of ranks) this.visited.toggle(rank);
    this.state = unknownRows.stateBefore;
    const next = rows[++unknownRows.current];
    if (next) this.enter(next);
    return next !== undefined;
  }

  /** The present row, with one more operation of unknown outcome, where that leads to something new. */
  private rowsAfter(ranks: readonly number[]): UnknownRow<State>[] {
    const rows: UnknownRow<State>[] = [];
    for (let number = this.pending.unknownCalled() - 1; number >= 0; number--) {
      if (this.visited.hasUnknown(number)) continue;
      const rank = this.completedCount + number;
      this.visited.toggle(rank);
      for (const state of this.model.stepUnknown(this.state, this.ranked[rank]!.input)) {
        // Placing one that opens nothing new gains nothing: it may as well never happen.
        if (this.model.covers(this.state, state) || !this.visited.visit(state)) continue;
        rows.push({ ranks: [...ranks, rank], state });
      }
      this.visited.toggle(rank);
    }
    return rows;
  }

  private rememberIfFurthest(): void {
    const { pending } = this;
    if (pending.left >= this.fewestLeft) return;
    this.fewestLeft = pending.left;
    const unplaced: Operation<Input, Output>[] = [];
    for (let node = pending.first(); !pending.isReturn(node); node = pending.after(node))
      unplaced.push(this.ranked[node - 1]!);
    // Copying the whole path each time would be quadratic in the length of the history.
    this.furthestPath.length = this.sharedLength;
    for (const part of this.path.slice(this.sharedLength))
      this.furthestPath.push(part.kind === 'placement' ? [part.rank] : part.rows[part.current]!.ranks);
    this.sharedLength = this.path.length;
    this.furthest = { state: this.state, unplaced };
  }
}
