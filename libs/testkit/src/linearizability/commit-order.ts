import type { History, Operation } from './history';
import type { ObjectInput, ObjectOutput } from './models/object-model';

/**
 * Checks the positions of one namespace over all its ids, which a check by id cannot: no two writes have the same
 * `commit_seq`, and a write has one above every position that anybody had been told before it was called.
 * Returns one line per fault, none for a sound history. Takes a sort and one pass.
 */
export function findCommitOrderFaults(history: History<ObjectInput, ObjectOutput>): string[] {
  const faults: string[] = [];
  const writeAt = new Map<number, Operation<ObjectInput, ObjectOutput>>();
  const answers = history
    .flatMap(({ completion }) => (completion ? [completion] : []))
    .sort((left, right) => left.returnedAt - right.returnedAt);
  const byCall = history.toSorted((left, right) => left.calledAt - right.calledAt);

  let highestTold = 0;
  let answerCount = 0;
  for (const operation of byCall) {
    for (; answerCount < answers.length; answerCount++) {
      const { output, returnedAt } = answers[answerCount]!;
      if (returnedAt >= operation.calledAt) break;
      highestTold = Math.max(highestTold, toldCommitSeq(output));
    }
    const output = operation.completion?.output;
    if (output?.kind !== 'ok' || output.commitSeq === undefined) continue;
    const { commitSeq } = output;
    const called = `${operation.input.op} ${operation.input.id} called at ${operation.calledAt}`;
    if (commitSeq <= highestTold)
      faults.push(`${called} took commit_seq ${commitSeq}, though ${highestTold} was known before`);
    const other = writeAt.get(commitSeq);
    if (other)
      faults.push(
        `${called} and ${other.input.op} ${other.input.id} called at ${other.calledAt} both took commit_seq ${commitSeq}`,
      );
    writeAt.set(commitSeq, operation);
  }
  return faults;
}

function toldCommitSeq(output: ObjectOutput): number {
  switch (output.kind) {
    case 'ok':
    case 'found':
      return output.commitSeq ?? 0;
    case 'precondition_failed':
      return output.currentCommitSeq ?? 0;
    case 'absent':
      return 0;
  }
}
