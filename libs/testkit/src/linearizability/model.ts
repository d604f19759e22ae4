import type { History, Operation } from './history';

/**
 * A sequential specification: what each operation may answer, and what it leaves behind, when operations happen
 * one at a time. States are never changed in place.
 */
export interface Model<State, Input, Output> {
  /**
   * Splits a history into parts that are linearizable on their own if and only if the whole is (Herlihy and Wing
   * 1990, section 3: locality). Usually one part per key.
   */
  partition(history: History<Input, Output>): Iterable<Partition<Input, Output>>;
  init(): State;
  /**
   * The states an operation may lead to from `state` when it gave this answer: none if it cannot have given it
   * there, one if the specification is deterministic, several if it is not.
   */
  step(state: State, input: Input, output: Output): readonly State[];
  /**
   * The states an operation may lead to from `state` when it took effect and nobody saw its answer. That it never
   * took effect is the checker's to consider, not the model's.
   */
  stepUnknown(state: State, input: Input): readonly State[];
  /**
   * Whether an operation that gave this answer leaves every state in which it can give it as it was, apart from what
   * the answer tells about it. The search then places it as soon as it fits and never has to reconsider.
   */
  isReadOnly(input: Input, output: Output): boolean;
  /**
   * Whether all that can follow `other` can follow `state` too; true of equal states. A state that stands for what
   * is known of the object covers those in which more is known. The more this finds, the less is searched.
   */
  covers(state: State, other: State): boolean;
  /** A 32-bit integer, the same for states of which one covers the other. */
  hash(state: State): number;
  describeInput(input: Input): string;
  describeOutput(output: Output): string;
  describeState(state: State): string;
}

export interface Partition<Input, Output> {
  readonly key: string;
  readonly history: History<Input, Output>;
}

/** The usual partition: operations by the key that each names, in the order in which keys first appear. */
export function partitionByKey<Input, Output>(
  history: History<Input, Output>,
  keyOf: (input: Input) => string,
): Partition<Input, Output>[] {
  const byKey = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const key = keyOf(operation.input);
    const operations = byKey.get(key);
    if (operations) operations.push(operation);
    else byKey.set(key, [operation]);
  }
  return [...byKey].map(([key, operations]) => ({ key, history: operations }));
}

/** FNV-1a over UTF-16 units; enough for hash tables, no more. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
