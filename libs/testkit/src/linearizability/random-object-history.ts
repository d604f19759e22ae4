import type { History, Operation } from './history';
import type { ObjectInput, ObjectOutput } from './models/object-model';

export interface HistoryShape {
  readonly clients: number;
  readonly operations: number;
  readonly ids: number;
  /** Of a hundred operations, how many lose their answer. */
  readonly unknownPercent: number;
}

/** The numbers of one seed (mulberry32), each at least 0 and below `bound`. */
export function seededNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

interface Running {
  readonly index: number;
  step: 'called' | 'applied';
  output?: ObjectOutput;
  readonly isLost: boolean;
}

/**
 * Runs clients against one real sequential store and records what they see. Call, effect and answer of an operation
 * are three moments, and chance decides whose turn it is, so that operations overlap at random and the history is
 * linearizable by construction. A client that loses an answer goes on; its operation may still take effect later.
 */
export function recordRandomHistory(
  below: (bound: number) => number,
  shape: HistoryShape,
): History<ObjectInput, ObjectOutput> {
  const recorded: Operation<ObjectInput, ObjectOutput>[] = [];
  const store = new Map<string, { value: string; commitSeq: number }>();
  const running: (Running | undefined)[] = Array.from({ length: shape.clients });
  const lost: Running[] = [];
  let commitSeq = 0;
  let now = 0;

  const apply = (task: Running) => {
    const { input } = recorded[task.index]!;
    const current = store.get(input.id);
    task.step = 'applied';
    if (input.op === 'get') {
      task.output = current ? { kind: 'found', ...current } : { kind: 'absent' };
    } else if (
      (input.ifMatch !== undefined && input.ifMatch !== current?.commitSeq) ||
      (input.ifNoneMatch && current)
    ) {
      task.output = {
        kind: 'precondition_failed',
        ...(below(2) ? { currentCommitSeq: current?.commitSeq ?? 0 } : {}),
      };
    } else if (input.op === 'delete' && !current) {
      task.output = { kind: 'absent' };
    } else {
      commitSeq += 1 + below(2);
      if (input.op === 'put') store.set(input.id, { value: input.value, commitSeq });
      else store.delete(input.id);
      task.output = { kind: 'ok', ...(input.op === 'put' || below(2) ? { commitSeq } : {}) };
    }
  };

  while (recorded.length < shape.operations || running.some(Boolean)) {
    now++;
    const client = below(shape.clients);
    const task = running[client];
    if (lost.length > 0 && below(8) === 0) {
      apply(lost.splice(below(lost.length), 1)[0]!);
    } else if (!task) {
      if (recorded.length >= shape.operations) continue;
      const isLost = below(100) < shape.unknownPercent;
      running[client] = { index: recorded.length, step: 'called', isLost };
      const id = `task-${below(shape.ids)}`;
      const input = randomInput(below, id, store.get(id)?.commitSeq ?? 0, recorded.length);
      recorded.push({ process: `client-${client}`, input, calledAt: now });
    } else if (task.isLost) {
      if (task.step === 'called' && below(2)) lost.push(task);
      running[client] = undefined;
    } else if (task.step === 'called') {
      apply(task);
    } else {
      const operation = recorded[task.index]!;
      recorded[task.index] = { ...operation, completion: { output: task.output!, returnedAt: now } };
      running[client] = undefined;
    }
  }
  return recorded;
}

function randomInput(
  below: (bound: number) => number,
  id: string,
  currentCommitSeq: number,
  number: number,
): ObjectInput {
  const choice = below(10);
  if (choice < 4) return { op: 'get', id };
  const ifMatch = Math.max(1, currentCommitSeq - below(2));
  const condition = [{}, { ifMatch }, { ifNoneMatch: true }][Math.max(0, below(5) - 2)]!;
  if (choice < 5) return { op: 'delete', id, ...(condition.ifNoneMatch ? {} : condition) };
  // Few values, so that a wrong read is not always wrong at first sight.
  return { op: 'put', id, value: below(3) ? `value-${number}` : 'same', ...condition };
}
