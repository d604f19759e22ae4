import { explain } from './explanation';
import type { History } from './history';
import type { Model, Partition } from './model';
import { searchLinearization } from './search';

export type CheckResult<Input, Output> = LinearizableResult | IllegalResult<Input, Output> | UnknownResult;

export interface LinearizableResult {
  readonly verdict: 'linearizable';
  readonly partitions: number;
  /** How many combinations of "linearized so far" and state were visited: the work it took. */
  readonly configurations: number;
}

export interface IllegalResult<Input, Output> {
  readonly verdict: 'illegal';
  /** The key of the first partition found that no order explains. */
  readonly partitionKey: string;
  readonly configurations: number;
  /** The longest linearizable prefix found, in its order. */
  readonly longestPrefix: History<Input, Output>;
  /** Completed operations of which one had to come next; none could. */
  readonly unplaced: History<Input, Output>;
  /** The same for a person to read. */
  readonly explanation: string;
}

/** Nothing illegal was found, and one partition or more took too long. */
export interface UnknownResult {
  readonly verdict: 'unknown';
  readonly partitionKey: string;
  readonly configurations: number;
  readonly reason: 'time_limit' | 'configuration_limit';
}

export interface CheckOptions {
  /** For all partitions together, in milliseconds of `now`. No limit by default. */
  readonly timeLimitMs?: number;
  /** Milliseconds of a clock that only grows. */
  readonly now?: () => number;
  /** For each partition. Unlike the time limit it gives the same verdict on every machine. */
  readonly configurationLimit?: number;
}

/**
 * All partitions are tried with this limit before any is searched further: one that is easily shown to be illegal
 * should not have to wait for one that is hard.
 */
const FIRST_PASS_CONFIGURATIONS = 20_000;

/** Some 400 MB at worst. */
const DEFAULT_CONFIGURATION_LIMIT = 2_000_000;

/**
 * Decides whether a concurrent history could have come from the model's object with every operation taking effect
 * at one moment between its call and its return (Herlihy and Wing 1990). The first partition
 * found to be illegal decides, and one that exceeds a limit does not keep the others from being checked.
 */
export function checkHistory<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  options: CheckOptions = {},
): CheckResult<Input, Output> {
  const {
    timeLimitMs = Infinity,
    now = () => performance.now(),
    configurationLimit = DEFAULT_CONFIGURATION_LIMIT,
  } = options;
  const deadline = now() + timeLimitMs;
  const isOverdue = () => now() > deadline;

  let partitions = 0;
  let configurations = 0;
  let undecided = model.partition(history);
  const passes = [Math.min(FIRST_PASS_CONFIGURATIONS, configurationLimit), configurationLimit];
  let firstUndecided: Omit<UnknownResult, 'configurations'> | undefined;
  for (const limit of passes) {
    const left: Partition<Input, Output>[] = [];
    firstUndecided = undefined;
    for (const partition of undecided) {
      const result = searchLinearization(model, partition.history, { configurationLimit: limit, isOverdue });
      configurations += result.configurations;
      if (result.kind === 'illegal') {
        const { placed, unplaced } = result.stuck;
        const explanation = explain(model, partition, result.stuck);
        const partitionKey = partition.key;
        return {
          verdict: 'illegal',
          partitionKey,
          configurations,
          longestPrefix: placed,
          unplaced,
          explanation,
        };
      }
      if (result.kind === 'linearizable') {
        partitions++;
        continue;
      }
      left.push(partition);
      firstUndecided ??= { verdict: 'unknown', partitionKey: partition.key, reason: result.reason };
    }
    undecided = left;
  }
  return firstUndecided
    ? { ...firstUndecided, configurations }
    : { verdict: 'linearizable', partitions, configurations };
}
