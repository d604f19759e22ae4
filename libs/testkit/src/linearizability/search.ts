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

/** One placed operation, and how to go on if it turns out to be the wrong one. */
interface Placement<State> {
  readonly rank: number;
  readonly stateBefore: State;
  /** What the operation may lead to, and which of it is being tried. */
  readonly states: readonly State[];
  readonly choice: number;
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
  private readonly ranked: History<Input, Output>;
  private readonly pending: PendingEvents;
  private readonly visited: VisitedConfigurations<State>;
  private readonly placements: Placement<State>[] = [];
  private state: State;
  private stuck: Stuck<State, Input, Output>;
  private fewestLeft = Infinity;

  constructor(
    private readonly model: Model<State, Input, Output>,
    history: History<Input, Output>,
    private readonly limits: SearchLimits,
  ) {
    const byCall = history.toSorted((left, right) => left.calledAt - right.calledAt);
    const completed = byCall.filter((operation) => operation.completion);
    const unknown = byCall.filter((operation) => !operation.completion);
    this.ranked = [...completed, ...unknown];
    this.pending = new PendingEvents(this.ranked, completed.length);
    this.visited = new VisitedConfigurations(completed.length, unknown.length, model);
    this.state = model.init();
    this.stuck = { placed: [], state: this.state, unplaced: [] };
  }

  run(): SearchResult<State, Input, Output> {
    let node = this.next();
    for (let steps = 0; this.pending.completedLeft > 0; steps++) {
      const configurations = this.visited.count;
      if (configurations > this.limits.configurationLimit)
        return { kind: 'unknown', configurations, reason: 'configuration_limit' };
      if (steps % DEADLINE_INTERVAL === 0 && this.limits.isOverdue())
        return { kind: 'unknown', configurations, reason: 'time_limit' };

      const candidate = this.candidateFrom(node);
      if (candidate !== undefined) {
        const placed = this.place(candidate - 1, this.outcomes(candidate - 1), 0);
        node = placed ? this.next() : this.pending.after(candidate);
        continue;
      }
      this.rememberIfFurthest();
      const undone = this.undo();
      if (!undone) return { kind: 'illegal', configurations, stuck: this.stuck };
      const placed = this.place(undone.rank, undone.states, undone.choice + 1);
      node = placed ? this.next() : this.pending.after(undone.rank + 1);
    }
    return { kind: 'linearizable', configurations: this.visited.count };
  }

  /**
   * The call to try, from `node` on: completed operations up to the first return, then unknown ones that were
   * called before that return. Unknown ones come last because the fewer are placed, the more remains possible.
   */
  private candidateFrom(node: number): number | undefined {
    const { pending } = this;
    const isCompleted = node !== 0 && node <= pending.completedCount;
    if (isCompleted) return node;
    const unknown = pending.isReturn(node) ? pending.firstOfUnknown() : node;
    if (unknown === 0) return undefined;
    return pending.positionOf(unknown) < pending.positionOf(this.firstReturn()) ? unknown : undefined;
  }

  /** While a completed operation is pending its return is in the list, so that there is one. */
  private firstReturn(): number {
    let node = this.pending.first();
    while (!this.pending.isReturn(node)) node = this.pending.after(node);
    return node;
  }

  private outcomes(rank: number): readonly State[] {
    const { input, completion } = this.ranked[rank]!;
    if (completion) return this.model.step(this.state, input, completion.output);
    // Placing an unknown operation that changes nothing gains nothing: it may as well never happen.
    const states = this.model.stepUnknown(this.state, input);
    return states.filter((state) => !this.model.equal(state, this.state));
  }

  /** Linearizes the operation next with the first of these states, from `choice` on, that is new. */
  private place(rank: number, states: readonly State[], choice: number): boolean {
    if (choice >= states.length) return false;
    this.visited.toggle(rank);
    for (let at = choice; at < states.length; at++) {
      if (!this.visited.visit(states[at]!)) continue;
      this.placements.push({ rank, stateBefore: this.state, states, choice: at });
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
  private next(): number {
    const { pending, model } = this;
    let node = pending.first();
    while (node !== 0 && !pending.isReturn(node)) {
      const rank = node - 1;
      const { input, completion } = this.ranked[rank]!;
      if (completion && model.isReadOnly(input, completion.output)) {
        const states = model.step(this.state, input, completion.output);
        if (states.length === 1 && model.equal(states[0]!, this.state)) {
          this.placements.push({ rank, stateBefore: this.state, states: FORCED, choice: 0 });
          pending.take(rank);
          this.visited.toggle(rank);
          node = pending.first();
          continue;
        }
      }
      node = pending.after(node);
    }
    return pending.first();
  }

  /** Takes back the latest placement that had alternatives, and all after it. */
  private undo(): Placement<State> | undefined {
    for (let placement = this.placements.pop(); placement; placement = this.placements.pop()) {
      this.pending.putBack(placement.rank);
      this.visited.toggle(placement.rank);
      this.state = placement.stateBefore;
      if (placement.states !== FORCED) return placement;
    }
    return undefined;
  }

  private rememberIfFurthest(): void {
    if (this.pending.completedLeft >= this.fewestLeft) return;
    this.fewestLeft = this.pending.completedLeft;
    const unplaced: Operation<Input, Output>[] = [];
    for (let node = this.pending.first(); !this.pending.isReturn(node); node = this.pending.after(node))
      unplaced.push(this.ranked[node - 1]!);
    const placed = this.placements.map(({ rank }) => this.ranked[rank]!);
    this.stuck = { placed, state: this.state, unplaced };
  }
}
