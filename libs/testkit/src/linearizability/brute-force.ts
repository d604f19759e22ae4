import type { History } from './history';
import type { ObjectInput, ObjectOutput } from './models/object-model';

/**
 * A second, dumb answer to the checker's question, for small histories of one object: it tries every order, every
 * subset of the unknown operations and every position that those may have taken, with plain numbers, no memory of
 * where it has been, and no code of the checker or its models.
 */
export function isLinearizableByBruteForce(history: History<ObjectInput, ObjectOutput>): boolean {
  const told = history.flatMap(({ input, completion }) => [
    (completion?.output as { commitSeq?: number } | undefined)?.commitSeq ?? 0,
    (completion?.output as { currentCommitSeq?: number } | undefined)?.currentCommitSeq ?? 0,
    (input as { ifMatch?: number }).ifMatch ?? 0,
  ]);
  const highestCommitSeq = Math.max(...told) + history.length;
  return canFinish(history, { value: null, commitSeq: 0 }, highestCommitSeq);
}

interface Concrete {
  readonly value: string | null;
  readonly commitSeq: number;
}

function canFinish(
  left: History<ObjectInput, ObjectOutput>,
  state: Concrete,
  highestCommitSeq: number,
): boolean {
  const deadline = Math.min(...left.map(({ completion }) => completion?.returnedAt ?? Infinity));
  if (deadline === Infinity) return true;
  return left.some((operation) => {
    if (operation.calledAt > deadline) return false;
    const rest = left.filter((other) => other !== operation);
    const next = outcomes(state, operation.input, operation.completion?.output, highestCommitSeq);
    return next.some((after) => canFinish(rest, after, highestCommitSeq));
  });
}

function outcomes(
  state: Concrete,
  input: ObjectInput,
  output: ObjectOutput | undefined,
  highestCommitSeq: number,
): Concrete[] {
  if (input.op === 'get') {
    const isRight =
      !output ||
      (output.kind === 'absent' && state.value === null) ||
      (output.kind === 'found' && output.value === state.value && output.commitSeq === state.commitSeq);
    return isRight ? [state] : [];
  }
  const holds =
    (input.ifMatch === undefined || (state.value !== null && state.commitSeq === input.ifMatch)) &&
    (!input.ifNoneMatch || state.value === null);
  if (output?.kind === 'precondition_failed') {
    const current = output.currentCommitSeq ?? (state.value === null ? 0 : state.commitSeq);
    return !holds && current === (state.value === null ? 0 : state.commitSeq) ? [state] : [];
  }
  if (input.op === 'delete' && state.value === null)
    return output?.kind === 'absent' || !output ? [state] : [];
  if (!holds || (output && output.kind !== 'ok')) return output ? [] : [state];
  const value = input.op === 'put' ? input.value : null;
  const told = output?.kind === 'ok' ? output.commitSeq : undefined;
  const first = told ?? state.commitSeq + 1;
  const last = told ?? highestCommitSeq;
  const results: Concrete[] = [];
  for (let commitSeq = Math.max(first, state.commitSeq + 1); commitSeq <= last; commitSeq++)
    results.push({ value, commitSeq });
  return results;
}
